"""
Emulated ARM Linux boards: the board's own instructions, run by QEMU on this machine.

``emulate`` runs an ARM Python with the ARM builds of the runtimes under
qemu-user: the very kernels of the board, chosen by the board's CPU description.
``emulate-system`` boots a Linux for ARM, to see what a model does under a
memory ceiling. Neither has the board's time.
"""
