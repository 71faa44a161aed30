"""
What devices that are reached by a command (`ssh`, `adb`) share.

A `Transport` turns a command for the device into one for this machine. Over
one connection runs a small helper (`agent/`), which keeps files by SHA-256,
holds the lease, and reads sensors; workers are started beside it.
"""
