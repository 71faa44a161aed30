"""Keras models cut and sewn: model in, model out. Keras runs in child processes only."""
