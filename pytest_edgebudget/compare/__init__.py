"""Two JSON reports side by side: what changed, as far as it can be compared."""
