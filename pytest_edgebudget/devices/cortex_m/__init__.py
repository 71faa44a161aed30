"""Models as C programs of their own on an emulated Cortex-M."""
