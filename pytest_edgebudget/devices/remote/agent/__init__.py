"""
The helper on a board: files, the lease, circumstances, the energy counter.

It is sent as text over the connection, and kept nowhere. Python 3.7 and its
standard library, nothing else of ours but ``worker/machine.py``; see `bundle`.
"""
