"""The Burn transformer written down once more, in float64 and without torch."""

from __future__ import annotations

from math import erf
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.tiny_checkpoints import tiny_tokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from helpers.burn_writer import Tensors


def softmax(scores: NDArray[np.float64], form: str) -> NDArray[np.float64]:
    """Burn's three, from its documentation."""
    largest = scores.max(axis=-1, keepdims=True)
    exponentials = np.exp(scores - largest)
    extra = {"off": 0, "legacy": 1, "softmax1": np.exp(-largest)}[form]
    result: NDArray[np.float64] = exponentials / (exponentials.sum(axis=-1, keepdims=True) + extra)
    return result


def in_numpy(
    tensors: Tensors, text: str, form: str = "legacy", *, heads: int = 4, first: bool = True, early: bool = False
) -> Any:
    """Logits of a text, cut to 16 tokens."""
    ids = np.array(tiny_tokenizer().encode(text).ids[:16])
    weights = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}

    def linear(name: str, x: Any) -> Any:
        return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def norm(name: str, x: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        divisor = np.sqrt(variance) + 1e-5 if early else np.sqrt(variance + 1e-5)
        return centred / divisor * weights[f"{name}.gamma"] + weights[f"{name}.beta"]

    def attend(layer: str, x: Any) -> Any:
        query, key, value = (
            linear(f"{layer}.mha.{part}", x).reshape(len(ids), heads, -1).swapaxes(0, 1) for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[-1])
        scores[:, :, ids == 0] = -1e4
        return linear(f"{layer}.mha.output", (softmax(scores, form) @ value).swapaxes(0, 1).reshape(len(ids), -1))

    def feed(layer: str, x: Any) -> Any:
        inner = linear(f"{layer}.pwff.linear_inner", x)
        return linear(f"{layer}.pwff.linear_outer", inner * (np.vectorize(erf)(inner / np.sqrt(2)) + 1) / 2)

    x = (weights["embedding_pos.weight"][: len(ids)] + weights["embedding_token.weight"][ids]) / 2
    for layer in ("transformer.layers.0", "transformer.layers.1"):
        if first:
            x = x + attend(layer, norm(f"{layer}.norm_2", x))
            x = x + feed(layer, norm(f"{layer}.norm_1", x))
        else:
            x = norm(f"{layer}.norm_1", x + attend(layer, x))
            x = norm(f"{layer}.norm_2", x + feed(layer, x))
    return linear("output", x)[0]
