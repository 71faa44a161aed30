"""
Google's Edge TPU: what it takes of a model, and what is left to the CPU.

Its compiler is closed. Where ``edgetpu_compiler`` is installed, its report is
read; elsewhere the constraints that Coral publishes are applied op by op.
"""
