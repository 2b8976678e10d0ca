"""Activation statistics, collected on texts that the parity gate never sees."""

from __future__ import annotations

from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from sentiment_edge_export.errors import ExportError
from sentiment_edge_export.graph.session import trial_session
from sentiment_edge_export.quantization.gram import Gram
from sentiment_edge_runtimes.progress import SILENT, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import onnx_ir as ir
    from numpy.typing import NDArray
    from torch import Tensor

    Batches = Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]
    """Ids and mask of each batch, both [batch, length]."""

_MAX_TOKENS = 384
"""Tokens that run together: few enough for the inner values of a large model, of which all are held at once."""
_TEXTS = Path(__file__).parent / "calibration_texts.txt"


def calibration_texts() -> list[str]:
    """Return the project's own texts: reviews, messages, headlines, plain statements, some in other languages."""
    return _TEXTS.read_text(encoding="utf-8").split("\n")[:-1]


class ActivationStats(NamedTuple):
    """Statistics of an inner value of a graph over many tokens x, each [width]."""

    gram: Gram
    """The sum of x x^T."""
    balance: float
    """Mean over the tokens of (max x - min x) / (2 max |x|), the range including zero: 1/2 if one-sided, 1 if symmetric."""
    least: NDArray[np.float32]
    """The least value of each channel, [width]."""
    greatest: NDArray[np.float32]
    """The greatest value of each channel, [width]."""


class _Collector:
    """Takes in the tokens of one inner value."""

    def __init__(self, width: int) -> None:
        self.gram = Gram(width)
        self._balances: list[Tensor] = []
        self._extremes = torch.full((2, width), torch.inf)
        """The least value of each channel, and minus the greatest."""

    def add(self, tokens: Tensor) -> None:
        self.gram.add(tokens)
        least, greatest = tokens.amin(dim=1).clamp_max(0), tokens.amax(dim=1).clamp_min(0)
        bound = (2 * torch.maximum(-least, greatest)).clamp_min(torch.finfo(torch.float32).tiny)
        self._balances.append((greatest - least) / bound)
        extremes = torch.stack((tokens.amin(dim=0), -tokens.amax(dim=0)))
        self._extremes = torch.minimum(self._extremes, extremes)

    def stats(self) -> ActivationStats:
        least, greatest = self._extremes[0].numpy(), -self._extremes[1].numpy()
        return ActivationStats(self.gram, float(torch.cat(self._balances).mean()), least, greatest)


def collect_activation_stats(
    model: ir.Model, values: Iterable[ir.Value], batches: Batches, progress: Progress = SILENT
) -> dict[str, ActivationStats]:
    """Run the graph and return statistics of its values, by name, over the tokens of each batch's first text.

    Args:
        model: a classifier in fp32; it is not changed.
        values: some of its inner values, [batch, length, width].
        batches: ids and mask, [batch, length].
        progress: hears what share of the texts is done.

    Raises:
        ExportError: a value overflows.
    """
    names = [str(value.name) for value in values]
    if not names:
        return {}
    collectors: dict[str, _Collector] = {}
    for name, tokens in inner_values(model, names, batches, progress):
        if name not in collectors:
            collectors[name] = _Collector(tokens.shape[1])
        collectors[name].add(torch.from_numpy(tokens))
    if not all(each.gram.is_finite() for each in collectors.values()):
        raise ExportError(
            "the model's inner values overflow on ordinary texts, so int8 cannot be calibrated; export it in fp32"
        )
    return {name: each.stats() for name, each in collectors.items()}


def inner_values(
    model: ir.Model, names: Sequence[str], batches: Batches, progress: Progress = SILENT
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Run the graph and yield name and array, float32 [tokens, width], of each value named, several times each.

    Together the arrays hold the tokens of each batch's first text, or its first token where a value has no others.
    """
    grouped = [*together(batches, model.graph.inputs[0].shape)]
    whole, done = sum(used.size for _, _, used in grouped), 0
    with trial_session(_with_outputs(model, names)) as session:
        inputs = [node.name for node in session.get_inputs()]
        for input_ids, attention_mask, used in grouped:
            feeds = {"input_ids": input_ids, "attention_mask": attention_mask}
            outputs = session.run([*names], {name: feeds[name] for name in inputs})
            for name in reversed(names):
                output = outputs.pop()  # an encoder's inner values are large: each goes once it was read
                yield name, _rows(output, used)
            done += used.size
            progress.share(done / whole)


def _rows(output: NDArray[np.float32], used: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return rows [tokens, width] of the positions used, and of a value with other axes, such as [length, batch, width] all."""
    if output.shape[:2] in (used.shape, (len(used), 1)):
        return output[used[:, : output.shape[1]]]
    return output.reshape(-1, output.shape[-1])


def together(
    batches: Batches, axes: ir.Shape | None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]]:
    """Yield ids, mask and the positions to read, all [batch, length]: the first texts of batches, those of one length together.

    A graph with a fixed number of texts gets its batches as they are.
    """
    if axes is None or isinstance(axes[0], int):
        for ids, mask in batches:
            yield ids, mask, (mask > 0) & (np.arange(len(mask)) == 0)[:, None]
        return
    by_length = sorted((ids.shape[1], position) for position, (ids, _) in enumerate(batches))
    for length, group in groupby(by_length, key=itemgetter(0)):
        while rows := [position for _, position in islice(group, max(1, _MAX_TOKENS // length))]:
            ids, mask = (np.concatenate([batches[row][part][:1] for row in rows]) for part in range(2))
            yield ids, mask, mask > 0


def _with_outputs(model: ir.Model, names: Sequence[str]) -> ir.Model:
    """Return a copy of the model with these values among its outputs."""
    model = model.clone()
    found = {value.name: value for node in model.graph for value in node.outputs}
    model.graph.outputs.extend(found[name] for name in names if found[name] not in model.graph.outputs)
    return model
