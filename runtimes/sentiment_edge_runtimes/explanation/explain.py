"""Explanations of a prediction, by either method."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge_runtimes.errors import EngineError, TextError
from sentiment_edge_runtimes.explanation.occlusion import Occlusion
from sentiment_edge_runtimes.explanation.parts import read_words
from sentiment_edge_runtimes.explanation.spans import weigh_parts
from sentiment_edge_runtimes.inference import infer_one
from sentiment_edge_runtimes.numerics import probabilities
from sentiment_edge_runtimes.prediction import NO_NUMBER, Explanation, TokenWeight, most_probable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from tokenizers import Encoding

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.tokenization import TextTokenizer
    from sentiment_edge_runtimes.vocabulary import MethodChoice


def explain(
    text: str, method: MethodChoice, bundle: Bundle, tokenizer: TextTokenizer, open_engine: Callable[[], Engine]
) -> Explanation:
    """Return the prediction for a text, and the weight of each token or word; the text itself runs first, alone.

    Raises:
        InputError: the text is not a string.
        TextError: the text cannot be answered.
        EngineError: attention is asked for and the model has none, or the engine failed.
    """
    encoding, truncated = tokenizer.encode_one(text)
    engine, manifest = open_engine(), bundle.manifest
    outputs = infer_one(engine, manifest, encoding.ids)
    if method == "attention" and outputs.attention is None:
        raise EngineError(
            f"{bundle.root}: a {manifest.family} model has no attention to show; `method` occlusion explains any model"
        )
    with np.errstate(invalid="ignore"):  # of infinities
        scores: list[float] = probabilities(outputs.logits[:1], manifest.activation)[0].tolist()
    if not all(map(isfinite, scores)):
        raise TextError(NO_NUMBER)
    prediction = most_probable(manifest.labels, scores, truncated=truncated)
    if outputs.attention is not None and method != "occlusion":
        return Explanation(text, prediction, _attended(encoding, outputs.attention[0]))
    occlusion = Occlusion(engine, manifest, encoding.ids, tokenizer.mask_id, scores)
    weighed = weigh_parts(text, read_words(text, encoding.offsets), occlusion.weigh)
    tokens = tuple(TokenWeight(text[part.start : part.end], weight, part.start, part.end) for part, weight in weighed)
    return Explanation(text, prediction, tokens, "occlusion", 1 + occlusion.runs)


def _attended(encoding: Encoding, attention: NDArray[np.float32]) -> tuple[TokenWeight, ...]:
    """Return each token with its share of the attention."""
    weights: Sequence[float] = attention[: len(encoding)].tolist()
    if not all(map(isfinite, weights)):
        raise TextError(NO_NUMBER)
    rows = zip(encoding.tokens, weights, encoding.offsets, strict=True)
    return tuple(TokenWeight(token, weight, *span) for token, weight, span in rows)
