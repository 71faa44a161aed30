"""The linter: rules over budget files and models. One rule a file, one table a family."""
