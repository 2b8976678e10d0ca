from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from sentiment_edge_runtimes.numerics import probabilities

LOGITS = npst.arrays(np.float32, npst.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e4, 1e4, width=32))


@given(LOGITS)
def test_a_softmax_sums_to_one(logits: np.ndarray) -> None:
    shares = probabilities(logits, "softmax")
    assert np.all((shares >= 0) & (shares <= 1))
    assert shares.sum(axis=1) == pytest.approx(1)


@given(LOGITS)
def test_a_sigmoid_is_of_each_alone(logits: np.ndarray) -> None:
    shares = probabilities(logits, "sigmoid")
    assert np.all((shares >= 0) & (shares <= 1))
    assert shares + probabilities(-logits, "sigmoid") == pytest.approx(np.ones_like(shares))
    assert np.array_equal(probabilities(logits[:, :1], "sigmoid"), shares[:, :1])
    assert np.all((shares > 0.5) <= (logits > 0))
