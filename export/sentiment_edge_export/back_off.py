"""Which weights go back to fp32 when int8 misses its bounds: those that cause most drift, measured without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_export.quantization import SWITCHES, switchable
from sentiment_edge_export.trial import trial_session
from sentiment_edge_runtimes.numerics import drift

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import onnx_ir as ir
    from numpy.typing import NDArray

    from sentiment_edge_export.calibration import Batches
    from sentiment_edge_export.quantization import Int8Recipe
    from sentiment_edge_runtimes.bundle import Activation, EngineName


class Sensitivity(NamedTuple):
    """What int8 does to one weight."""

    weight: str
    drift: float
    """Mean drift of the texts when this weight alone is int8."""
    share: float
    """Its elements, of all that int8 is for."""
    engine: EngineName = "onnxruntime"

    def __str__(self) -> str:
        """Return it in words."""
        where = "" if self.engine == "onnxruntime" else f", in {self.engine}"
        return f"{self.weight} (drift {self.drift:.4f}, {self.share:.1%} of the weights{where})"


def rank(model: ir.Model, recipe: Int8Recipe, activation: Activation, batches: Batches) -> list[Sensitivity]:
    """Return every weight that becomes int8, the one that causes most drift first.

    Args:
        model: the fp32 graph.
        recipe: how it becomes int8.
        activation: what makes probabilities of the logits.
        batches: ids and mask, [batch, length], of a few texts that the gate does not see.
    """
    count, total = len(recipe.weights), sum(recipe.weights.values())
    with trial_session(switchable(model, recipe)) as session:

        def logits(switches: NDArray[np.float32]) -> NDArray[np.float32]:
            feeds = ({"input_ids": ids, "attention_mask": mask, SWITCHES: switches} for ids, mask in batches)
            return np.concatenate([session.run(["logits"], feed)[0] for feed in feeds])

        fp32 = logits(np.zeros(count, np.float32))
        alone = (float(drift(logits(switches), fp32, activation).mean()) for switches in np.eye(count, dtype=np.float32))
        found = [
            Sensitivity(name, moved, size / total) for (name, size), moved in zip(recipe.weights.items(), alone, strict=True)
        ]
    return sorted(found, key=lambda each: each.drift, reverse=True)


def affordable(ranking: Sequence[Sensitivity], max_share: float) -> tuple[Sensitivity, ...]:
    """Return those that may go back together: worst first, what is too large for the rest of the budget left out."""
    chosen: list[Sensitivity] = []
    left = max_share
    for each in ranking:
        if each.share <= left:
            chosen.append(each)
            left -= each.share
    return tuple(chosen)


def fewest(most: int, holds: Callable[[int], bool]) -> int | None:
    """Return a number from 1 to `most` that holds while one less does not; None if none was found.

    Numbers are tried by doubling, then by halving what is between; the one returned is the last one tried that held.
    """
    low, high = 0, min(1, most)
    while high and not holds(high):
        low, high = high, min(2 * high, most)
        if low == high:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high or None
