"""
GPUs, local accelerators and delegates, and what proves that they ran a model.

Both runtimes fall back to the CPU without a word, so nothing is believed: the
worker looks at what became of each operator, and says so (`placing`).
"""
