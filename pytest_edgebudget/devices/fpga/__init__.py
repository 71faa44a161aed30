"""FPGAs: Keras models by hls4ml, whose C++ computes bit for bit what the hardware does."""
