from __future__ import annotations

import numpy as np

from sentiment_edge_runtimes.comparison import Condition, LogitsOrigin


def test_where_classes_do_not_exclude_each_other_all_that_hold_must_agree() -> None:
    reference = np.array([[2.0, 0.1, -3.0]], np.float32)
    moved = np.array([[2.0, -0.1, -3.0]], np.float32)  # the best one is the same, the second no longer holds
    assert Condition.of("moved", moved, reference, LogitsOrigin("onnxruntime", "fp32", "softmax")).agreement == 1
    assert Condition.of("moved", moved, reference, LogitsOrigin("onnxruntime", "fp32", "sigmoid")).agreement == 0
