"""int8 quantization: calibration, rounding of weights, rewriting of graphs, sensitivity of weights."""
