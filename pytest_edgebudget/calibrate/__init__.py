"""A board's own speed: micro-models are timed there, and a profile with its costs is written."""
