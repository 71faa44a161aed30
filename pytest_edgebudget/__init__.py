"""Keep machine-learning models within what small devices can bear."""

__version__ = "0.1.0"
