"""A model compared with its version at a git reference, in the same run on the same machine."""
