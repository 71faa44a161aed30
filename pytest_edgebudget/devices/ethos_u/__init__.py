"""Arm Ethos-U: what its compiler Vela tells of a model, and whose arithmetic is the NPU's."""
