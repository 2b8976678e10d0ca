"""Texts that an engine fails on, told from an engine that fails on any text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sentiment_edge_runtimes.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_Text = TypeVar("_Text")
_HOPELESS = 32
"""Texts one after the other after which an engine that failed on each of them is given up."""


def run_isolated(
    run: Callable[[Sequence[_Text]], NDArray[np.float32]], texts: Sequence[_Text], probe: Callable[[], Sequence[_Text]]
) -> tuple[NDArray[np.float32], dict[int, str]]:
    """Return the logits of each text, and the reasons by row where the engine fails on a text: its logits are NaN.

    Only after a failure does each text run alone.

    Args:
        run: runs texts and returns their logits.
        texts: the texts, as tokens.
        probe: returns an ordinary text, on which the engine is tried after a failure.

    Raises:
        EngineError: the engine fails on the ordinary text too, or on many texts from the first.
    """
    try:
        return run(texts), {}
    except EngineError:
        sound = _tried(run, probe())
        if isinstance(sound, EngineError):
            raise
    logits, failed = np.full((len(texts), sound.shape[1]), np.nan, dtype=np.float32), {}
    for row, text in enumerate(texts):
        answer = _tried(run, [text])
        if not isinstance(answer, EngineError):
            logits[row] = answer[0]
            continue
        failed[row] = f"the engine failed on this text ({answer})"
        if len(failed) == row + 1 == _HOPELESS:
            raise answer
    return logits, failed


def _tried(run: Callable[[Sequence[_Text]], NDArray[np.float32]], texts: Sequence[_Text]) -> NDArray[np.float32] | EngineError:
    try:
        return run(texts)
    except EngineError as error:
        return error
