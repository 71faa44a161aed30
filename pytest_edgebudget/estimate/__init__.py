"""Latency and energy of devices that are not there, from published measurements."""
