"""How files begin, for telling what a file really is."""

from __future__ import annotations

LFS_POINTER = b"version https://git-lfs"
"""A Git LFS pointer: the file itself was not fetched."""

ZIP = b"PK\x03\x04"
HDF5 = b"\x89HDF\r\n\x1a\n"
