"""Microcontrollers by TensorFlow Lite Micro on this machine: its arithmetic and its arena."""
