"""The interface between a bundle and an engine: each module beside this one that is named after an engine implements it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from sentiment_edge_runtimes.errors import EngineError, InputError, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

INPUTS = ("input_ids", "attention_mask")
"""Names of a model's inputs; one that needs no mask has the first only."""

_ADVICE = "export the bundle again"


class Outputs(NamedTuple):
    """A model's outputs for one batch."""

    logits: NDArray[np.float32]
    """[batch, classes]"""
    attention: NDArray[np.float32] | None
    """[batch, length]; None where the model has no such output."""


class Session(Protocol):
    """A model that is loaded for a number of threads; may be called from several threads at once."""

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        """Run one batch; ids and mask are [batch, length], padded on the right.

        Raises:
            InputError: a row of the mask is all zeros.
            EngineError: the engine failed.
        """
        ...


class Engine(Protocol):
    """A bundle's model in an engine, for few texts and for many; may be called from several threads at once."""

    lengths: Sequence[int] | None
    """The lengths that batches should be padded to, ascending; None where they must not be padded."""

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        """Run one batch, alone; see `Session`."""
        ...

    def sharing(self, texts: int) -> tuple[Session, int]:
        """Return the session that suits so many texts, and how many of their batches should run in it at once.

        Raises:
            EngineError: the engine refuses the model.
            BundleDamaged: a file of the model has changed since the bundle was opened.
        """
        ...


def check_mask(attention_mask: NDArray[np.int64]) -> None:
    """Refuse a text without tokens, for which a model would return NaN.

    Raises:
        InputError: a row of the mask is all zeros.
    """
    if not attention_mask.any(axis=1).all():
        raise InputError("a row of the attention mask is all zeros; every text has at least one token")


def checked_outputs(results: Mapping[str, object], rows: int, classes: int) -> Outputs:
    """Return a model's outputs for a batch, which must be what the rest of the package takes them for.

    Raises:
        EngineError: the logits are not numbers of [rows, classes], or the attention has other rows.
    """
    logits, attention = results.get("logits"), results.get("attention")
    if not isinstance(logits, np.ndarray) or logits.dtype.kind != "f" or logits.shape != (rows, classes):
        raise EngineError(f"the model's logits are {_described(logits)}, not numbers of {[rows, classes]}; {_ADVICE}")
    if attention is None:
        return Outputs(logits, None)
    if not isinstance(attention, np.ndarray) or attention.dtype.kind != "f" or attention.shape[:-1] != (rows,):
        raise EngineError(f"the model's attention is {_described(attention)}, not numbers of {rows} rows; {_ADVICE}")
    return Outputs(logits, attention)


def _described(result: object) -> str:
    return f"{result.dtype} {[*result.shape]}" if isinstance(result, np.ndarray) else type(result).__name__


@contextmanager
def translated(problem: str) -> Iterator[None]:
    """Turn the exceptions of an engine's library, which share no public base, into ours.

    Raises:
        EngineError: the block failed; the message is the problem, followed by the first line of the library's own.
    """
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(f"{problem}: {first_line(error)}") from error
