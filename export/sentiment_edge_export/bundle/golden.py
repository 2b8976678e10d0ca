"""`golden.jsonl`: texts with their tokens and logits, by which any program that runs the bundle can prove itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.bundle import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_export.parity.measure import Reference
    from sentiment_edge_runtimes.bundle import Manifest
    from sentiment_edge_runtimes.tokenization import Tokens
    from sentiment_edge_runtimes.vocabulary import EngineName

_CHARACTERS = 200
"""The longest text that is stored, but for a few, so that `verify` stays quick with a large model."""
_TRUNCATED = 2
"""Longer texts than the model reads that are stored."""
_BYTES = 200_000


def write_golden(
    folder: Path, manifest: Manifest, logits: Mapping[EngineName, NDArray[np.float32]], reference: Reference
) -> None:
    """Write the golden outputs of the project's own texts; fewer of them, down to one, if all would be more than 200 KB.

    Args:
        folder: of the bundle.
        manifest: of the bundle.
        logits: by engine, the bundle's for the reference's texts, [texts, classes].
        reference: the texts, their tokens and torch's logits.
    """
    texts = reference.texts[: reference.public]
    long = _beyond(texts, reference.tokens)
    short = [row for row, text in enumerate(texts) if len(text) <= _CHARACTERS]
    rows = {row: _row(row, manifest, logits, reference) for row in (*short, *long)}
    room = _BYTES - sum(len(rows[row]) for row in long)
    few = (short[::step] for step in range(1, len(short) + 1))
    kept = next((part for part in few if sum(len(rows[row]) for row in part) <= room), short[:1])
    (folder / GOLDEN).write_bytes(b"".join(rows[row] for row in sorted({*kept, *long})))


def _row(row: int, manifest: Manifest, logits: Mapping[EngineName, NDArray[np.float32]], reference: Reference) -> bytes:
    found = {manifest.golden_key(engine): _shortest(each[row]) for engine, each in logits.items()}
    entries = {
        "text": reference.texts[row],
        "ids": reference.tokens[row].ids,
        **found,
        "torch": _shortest(reference.logits[row]),
    }
    return f"{json.dumps(entries, ensure_ascii=False)}\n".encode()


def _shortest(logits: NDArray[np.float32]) -> list[float]:
    """Return numbers with no more digits than tell them from others of their precision."""
    return [float(str(each)) for each in logits]


def _beyond(texts: Sequence[str], tokens: Sequence[Tokens]) -> list[int]:
    """Return the shortest of the texts beyond the model's length, of those that are not short anyway."""
    cut = [row for row, text in enumerate(texts) if tokens[row].truncated and len(text) > _CHARACTERS]
    return sorted(cut, key=lambda row: len(texts[row]))[:_TRUNCATED]
