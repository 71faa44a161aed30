"""``edgebudget fit``: the search for one model, watched; what it found, as table and picture."""
