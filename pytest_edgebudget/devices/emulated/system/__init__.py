"""
A whole emulated ARM computer with Linux, to see what a model takes of its memory.

QEMU's "virt" machine with the board's core, Debian's kernel, and the root
folder that ``run = "emulate"`` has. Experimental: no firmware, no GPU and no
drivers of the board are in it.
"""
