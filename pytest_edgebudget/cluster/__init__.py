"""
Searches whose candidates are built and measured by other processes or machines.

The search itself stays here and decides as it would alone: see `fit.ahead`.
"""
