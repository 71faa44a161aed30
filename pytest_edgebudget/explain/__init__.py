"""`edgebudget explain MODEL`: what each layer costs, and what lies where in memory."""
