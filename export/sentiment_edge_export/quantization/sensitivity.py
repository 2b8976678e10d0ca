"""The sensitivity of weights to int8, measured without labels: it decides which stay fp32 when int8 misses its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_export.graph.session import trial_session
from sentiment_edge_export.quantization.calibration import together
from sentiment_edge_export.quantization.rewrite import SWITCHES, switchable
from sentiment_edge_runtimes.numerics import drift
from sentiment_edge_runtimes.progress import SILENT, Progress
from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE

if TYPE_CHECKING:
    import onnx_ir as ir
    from numpy.typing import NDArray

    from sentiment_edge_export.quantization.calibration import Batches
    from sentiment_edge_export.quantization.rewrite import Int8Recipe
    from sentiment_edge_runtimes.vocabulary import Activation, EngineName


class Sensitivity(NamedTuple):
    """The drift that one weight causes in int8."""

    weight: str
    drift: float
    """Mean drift of the texts when only this weight is int8."""
    share: float
    """Its share of the elements of all weights that become int8."""
    engine: EngineName = DEFAULT_ENGINE

    def __str__(self) -> str:
        """Return name, drift and share on one line."""
        where = "" if self.engine == DEFAULT_ENGINE else f", in {self.engine}"
        return f"{self.weight} (drift {self.drift:.4f}, {self.share:.1%} of the weights{where})"


def rank(
    model: ir.Model, recipe: Int8Recipe, activation: Activation, batches: Batches, progress: Progress = SILENT
) -> list[Sensitivity]:
    """Return the sensitivity of every weight that becomes int8, worst first.

    Args:
        model: the fp32 graph.
        recipe: how it becomes int8.
        activation: turns logits into probabilities.
        batches: ids and mask, [batch, length], of a few texts that the gate does not measure; the first of each is used.
        progress: hears what share of the weights is measured.
    """
    grouped = [*together(batches, model.graph.inputs[0].shape)]
    count, total = len(recipe.weights), sum(recipe.weights.values())
    with trial_session(switchable(model, recipe)) as session:

        def logits(switches: NDArray[np.float32]) -> NDArray[np.float32]:
            outputs = [
                session.run(["logits"], {"input_ids": ids, "attention_mask": mask, SWITCHES: switches})[0][used.any(axis=1)]
                for ids, mask, used in grouped
            ]
            return np.concatenate(outputs)

        fp32 = logits(np.zeros(count, np.float32))
        found = []
        for (name, size), switches in zip(recipe.weights.items(), np.eye(count, dtype=np.float32), strict=True):
            moved = float(drift(logits(switches), fp32, activation).mean())
            found.append(Sensitivity(name, moved, size / total))
            progress.share(len(found) / count)
    return sorted(found, key=lambda each: each.drift, reverse=True)
