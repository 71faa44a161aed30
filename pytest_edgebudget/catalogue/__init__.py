"""What devices there are, what can be measured on them here and now, and what would bring more."""
