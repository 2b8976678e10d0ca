"""A test of this CPU's int8 products, which are not exact everywhere.

On x86 without VNNI, ONNX Runtime multiplies uint8 by int8 in pairs whose sum saturates at 16 bits
(https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html#when-and-why-do-i-need-to-try-u8u8). It does
not tell which kernels it picks, so the largest possible product is computed once and looked at.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import onnxruntime

from sentiment_edge_runtimes.bundle.packaged import PACKAGE, read_packaged

_MODEL = PACKAGE / "models" / "saturation.onnx"
"""uint8 [rows, 64] times a matrix int8 [64, 32] of 127."""
_WIDTH, _LARGEST_UINT8, _LARGEST_INT8 = 64, 255, 127


@cache
def products_saturate() -> bool:
    """Return whether sums of int8 products are cut off at 16 bits here.

    The largest values are multiplied in one row and in several, for which there are different kernels.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    model = read_packaged(_MODEL)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=False)
    exact = _WIDTH * _LARGEST_UINT8 * _LARGEST_INT8
    factors = (np.full((rows, _WIDTH), _LARGEST_UINT8, np.uint8) for rows in (1, 16))
    return any(bool((session.run(None, {"a": factor})[0] != exact).any()) for factor in factors)
