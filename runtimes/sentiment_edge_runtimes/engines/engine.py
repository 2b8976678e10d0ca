"""The seam between a bundle and what executes it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sentiment_edge_runtimes.errors import EngineError, InputError, first_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.vocabulary import EngineName

INPUTS = ("input_ids", "attention_mask")
"""Names of a model's inputs; one that needs no mask has the first only."""


class Outputs(NamedTuple):
    """What the model gives for one batch."""

    logits: NDArray[np.float32]
    """[batch, classes]"""
    attention: NDArray[np.float32] | None
    """[batch, length], where the model has it."""


class Engine(Protocol):
    """A loaded model; may be called from several threads at once."""

    workers: int
    """How many batches at once make best use of the threads it was given."""

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        """Run one batch; ids and mask are [batch, length], padded on the right.

        Raises:
            InputError: a row of the mask is all zeros.
            EngineError: the engine failed.
        """
        ...


def open_engine(bundle: Bundle, name: EngineName, threads: int) -> Engine:
    """Load the bundle's model into an engine.

    Raises:
        EngineError: the bundle has no model for this engine, or the engine refuses it.
    """
    bundle.model_path(name)
    try:  # an engine's library is heavy and may be absent: import only the one asked for
        module = import_module(f"sentiment_edge_runtimes.engines.{name}")
    except ModuleNotFoundError as error:
        raise EngineError(f"{name} is not installed ({error.name} is missing): pip install 'sentiment-edge[{name}]'") from error
    except ImportError as error:
        raise EngineError(f"{name} is installed but cannot be loaded: {first_line(error)}") from error
    engine: Engine = module.open_engine(bundle, threads)
    return engine


def check_mask(attention_mask: NDArray[np.int64]) -> None:
    """Refuse a text without tokens, of which a model would make NaN.

    Raises:
        InputError: a row of the mask is all zeros.
    """
    if not attention_mask.any(axis=1).all():
        raise InputError("a row of the attention mask is all zeros; every text has at least one token")
