"""What changed between two versions of a model, by layer, and what would fix a limit."""
