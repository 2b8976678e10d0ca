"""Occlusion: the weight of a part of a text is the probability that the predicted label loses without it.

    weight(part) = P(label | text) - P(label | text without the part)

It is positive where the part speaks for the label, negative where it speaks against it. So Zeiler and Fergus covered parts of
images ("Visualizing and Understanding Convolutional Networks", 2014), and Li, Monroe and Jurafsky erased words ("Understanding
Neural Networks through Representation Erasure", 2016). It asks the model itself, whatever it is made of. Attention shows where
a model looks, which need not be what decides (Jain and Wallace, "Attention is not Explanation", 2019).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge_runtimes.errors import TextError
from sentiment_edge_runtimes.inference import infer
from sentiment_edge_runtimes.numerics import probabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.bundle import Manifest
    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.explanation.parts import Part


class Occlusion:
    """One text, whose parts are weighed by what the model says without them."""

    def __init__(
        self, engine: Engine, manifest: Manifest, ids: Sequence[int], mask_id: int | None, scores: Sequence[float]
    ) -> None:
        """Run nothing yet.

        Args:
            engine: the model.
            manifest: how the model wants its texts.
            ids: the text's token ids.
            mask_id: the token that stands in for others; None if the tokenizer has none.
            scores: the probability of each label for the whole text.
        """
        self.runs = 0
        """The texts that the model was run with."""
        self._engine, self._manifest = engine, manifest
        self._ids, self._mask_id = ids, mask_id
        self._label = max(range(len(scores)), key=scores.__getitem__)
        self._score = scores[self._label]

    def weigh(self, parts: Sequence[Part]) -> list[float]:
        """Return the weight of each part; all run together, in batches.

        Raises:
            TextError: without one of them, the model's answer is not a number.
            EngineError: the engine failed.
        """
        logits = infer(self._engine, self._manifest, [self._without(part) for part in parts])
        self.runs += len(parts)
        with np.errstate(invalid="ignore"):  # of infinities
            scores = probabilities(logits, self._manifest.activation)[:, self._label]
        if not np.isfinite(scores).all():
            raise TextError("the model's answer to this text without some of its words is not a number")
        weights: list[float] = (self._score - scores).tolist()
        return weights

    def _without(self, part: Part) -> list[int]:
        """Return the text's tokens without those of a part.

        Ids are replaced, not characters, so that the tokens around stay as they were. Each becomes a mask of its own: so masked
        language models are trained, and no other token changes its place. Where nothing is left, the model reads padding.
        """
        hidden = {*part.tokens}
        if self._mask_id is None:
            return [token for place, token in enumerate(self._ids) if place not in hidden] or [self._manifest.pad_id]
        return [self._mask_id if place in hidden else token for place, token in enumerate(self._ids)]
