"""A bundle's model as it answers texts: from texts to tokens, logits and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge_runtimes.engines.isolation import run_isolated
from sentiment_edge_runtimes.errors import TextError
from sentiment_edge_runtimes.inference import infer
from sentiment_edge_runtimes.numerics import probabilities
from sentiment_edge_runtimes.prediction import NO_NUMBER, most_probable
from sentiment_edge_runtimes.tokenization import PROBE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.prediction import Prediction
    from sentiment_edge_runtimes.running.life import ModelLife
    from sentiment_edge_runtimes.tokenization import TextTokenizer, Tokens


class TextModel:
    """A bundle's tokenizer and its engine, together; threads may share it."""

    def __init__(self, life: ModelLife) -> None:
        self._life = life

    @property
    def tokenizer(self) -> TextTokenizer:
        """The bundle's tokenizer."""
        return self._life.parts()[1]

    def answers(self, texts: Sequence[str]) -> list[Prediction | TextError]:
        """Predict the labels of texts; the error, where there is none.

        Raises:
            InputError: an item is not a string.
            EngineError: the engine failed, or the model is closed.
        """
        with self._life.calls:
            read = self.tokenizer.encode_each(texts)
            tokens = [text for text in read if not isinstance(text, TextError)]
            predictions = iter(self.predictions(tokens, *self.logits_each(tokens)))
        return [text if isinstance(text, TextError) else next(predictions) for text in read]

    def logits_each(self, tokens: Sequence[Tokens]) -> tuple[NDArray[np.float32], dict[int, str]]:
        """Return the logits of each text, and the reasons by row where the engine fails on a text: its logits are NaN.

        Raises:
            EngineError: the engine failed, or the model is closed.
        """
        with self._life.calls:
            return run_isolated(self._logits, tokens, probe=lambda: self.tokenizer.encode([PROBE]))

    def answer_ordinary(self) -> None:
        """Answer an ordinary text.

        Raises:
            BundleError: the bundle cannot be opened.
            EngineError: the engine failed, or the model is closed.
        """
        self.answers([PROBE])

    def predictions(
        self, tokens: Sequence[Tokens], logits: NDArray[np.float32], failed: Mapping[int, str]
    ) -> list[Prediction | TextError]:
        """Return the prediction of each text; the error, where there is none: the reasons are by row."""
        manifest = self._life.bundle.manifest
        with np.errstate(invalid="ignore"):  # of infinities; such a row has no prediction
            scores = probabilities(logits, manifest.activation)
        finite = np.isfinite(scores.sum(axis=1))
        return [
            most_probable(manifest.labels, scores[row].tolist(), truncated=text.truncated)
            if finite[row]
            else TextError(failed.get(row, NO_NUMBER))
            for row, text in enumerate(tokens)
        ]

    def _logits(self, tokens: Sequence[Tokens]) -> NDArray[np.float32]:
        return infer(self._life.engine(), self._life.bundle.manifest, [text.ids for text in tokens])
