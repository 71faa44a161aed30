"""pytest hooks only; every body short, all work in `session`."""
