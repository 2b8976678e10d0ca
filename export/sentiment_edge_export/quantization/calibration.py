"""Activation statistics, collected on texts that the parity gate never sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from sentiment_edge_export.errors import ExportError
from sentiment_edge_export.graph.session import trial_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    import onnx_ir as ir
    from numpy.typing import NDArray

    Batches = Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]
    """Ids and mask of each batch, both [batch, length]."""

_TEXTS = Path(__file__).parent / "calibration_texts.txt"


def calibration_texts() -> list[str]:
    """Return the project's own texts: reviews, messages, headlines, plain statements, some in other languages."""
    return _TEXTS.read_text(encoding="utf-8").split("\n")[:-1]


class ActivationStats(NamedTuple):
    """Statistics of an inner value of a graph over many tokens x [width]."""

    gram: Tensor
    """The sum of x x^T, float32 [width, width]."""
    balance: float
    """Mean over the tokens of (max x - min x) / (2 max |x|), the range including zero: 1/2 if one-sided, 1 if symmetric."""


def collect_activation_stats(model: ir.Model, values: Iterable[ir.Value], batches: Batches) -> dict[str, ActivationStats]:
    """Run the graph and return statistics of its values, by name, over the tokens of each batch's first text.

    Args:
        model: a classifier in fp32; it is not changed.
        values: some of its inner values, [batch, length, width].
        batches: ids and mask, [batch, length].

    Raises:
        ExportError: a value overflows.
    """
    names = [str(value.name) for value in values]
    if not names:
        return {}
    grams: dict[str, Tensor] = {}
    balances: dict[str, list[Tensor]] = {name: [] for name in names}
    for name, value in inner_values(model, names, batches):
        tokens = torch.from_numpy(value)
        grams[name] = tokens.T @ tokens if name not in grams else grams[name].addmm_(tokens.T, tokens)
        balances[name].append(_balances(tokens))
    if not all(gram.isfinite().all() for gram in grams.values()):
        raise ExportError(
            "the model's inner values overflow on ordinary texts, so int8 cannot be calibrated; export it in fp32"
        )
    return {name: ActivationStats(gram, float(torch.cat(balances[name]).mean())) for name, gram in grams.items()}


def inner_values(model: ir.Model, names: Sequence[str], batches: Batches) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Run the graph and yield name and array, float32 [tokens, width], of each value named, for each batch's first text."""
    with trial_session(_with_outputs(model, names)) as session:
        inputs = [node.name for node in session.get_inputs()]
        for input_ids, attention_mask in batches:
            feeds = {"input_ids": input_ids, "attention_mask": attention_mask}
            outputs = session.run([*names], {name: feeds[name] for name in inputs})
            for name, output in zip(names, outputs, strict=True):
                yield name, output[0, : attention_mask[0].sum()]


def _balances(tokens: Tensor) -> Tensor:
    """Return the balance (see `ActivationStats`) of each token."""
    least, greatest = tokens.amin(dim=1).clamp_max(0), tokens.amax(dim=1).clamp_min(0)
    return (greatest - least) / (2 * torch.maximum(-least, greatest)).clamp_min(torch.finfo(torch.float32).tiny)


def _with_outputs(model: ir.Model, names: Sequence[str]) -> ir.Model:
    """Return a copy of the model with these values among its outputs."""
    model = model.clone()
    found = {value.name: value for node in model.graph for value in node.outputs}
    model.graph.outputs.extend(found[name] for name in names if found[name] not in model.graph.outputs)
    return model
