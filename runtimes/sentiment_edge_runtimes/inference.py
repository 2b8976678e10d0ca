"""Token ids through a model: planned into batches, padded, run beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sentiment_edge_runtimes.batching import LONG, Batch, pad, plan
from sentiment_edge_runtimes.engines.parallel import run_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Manifest
    from sentiment_edge_runtimes.engines.engine import Engine, Outputs, Session


def infer(engine: Engine, manifest: Manifest, texts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """Return the logits of texts, float32 [texts, classes].

    Args:
        engine: the model.
        manifest: how the model wants its texts.
        texts: the token ids of each text, at least one and no more than the model reads.

    Long texts run one after the other, on all threads: the memory that one takes grows faster than its length.

    Raises:
        EngineError: the engine failed.
    """
    logits = np.empty((len(texts), len(manifest.labels)), dtype=np.float32)
    long = [row for row, ids in enumerate(texts) if len(ids) > LONG]
    others = [row for row, ids in enumerate(texts) if len(ids) <= LONG]
    for rows, beside in ((long, 1), (others, len(others))):
        if rows:
            logits[rows] = _infer(engine, manifest, [texts[row] for row in rows], beside)
    return logits


def _infer(engine: Engine, manifest: Manifest, texts: Sequence[Sequence[int]], beside: int) -> NDArray[np.float32]:
    """Return the logits of texts, of which so many may share the threads."""
    logits = np.empty((len(texts), len(manifest.labels)), dtype=np.float32)
    session, at_once = engine.sharing(beside)
    at_once = min(at_once, beside)
    batches = list(plan([len(ids) for ids in texts], engine.lengths, manifest.batch, at_once))

    def fill(batch: Batch) -> None:
        logits[list(batch.rows)] = run_batch(session, manifest, texts, batch).logits[: len(batch.rows)]

    run_all(fill, batches, min(at_once, len(batches)))
    return logits


def infer_one(engine: Engine, manifest: Manifest, text: Sequence[int]) -> Outputs:
    """Return all that the model says of one text, given its token ids; the outputs' first row is the text's.

    Raises:
        EngineError: the engine failed.
    """
    (batch,) = plan([len(text)], engine.lengths, manifest.batch)
    return run_batch(engine, manifest, [text], batch)


def run_batch(run: Engine | Session, manifest: Manifest, texts: Sequence[Sequence[int]], batch: Batch) -> Outputs:
    """Return what the model says of the texts of one batch; rows beyond them are repetitions.

    Raises:
        EngineError: the engine failed.
    """
    return run(*pad([texts[row] for row in batch.rows], batch.length, manifest.pad_id, manifest.batch))
