"""Golden outputs: texts in a bundle, with the logits that it gave where it was built, and those of torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sentiment_edge_runtimes.bundle import strict_json
from sentiment_edge_runtimes.bundle.folder import GOLDEN
from sentiment_edge_runtimes.errors import BundleInvalid, first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle.folder import Bundle
    from sentiment_edge_runtimes.vocabulary import EngineName


class Golden(NamedTuple):
    """The golden outputs of a bundle, in the order of their texts."""

    texts: list[str]
    logits: dict[EngineName, NDArray[np.float32]]
    """By engine, [texts, classes]: what the bundle gave where it was built."""
    torch: NDArray[np.float32]
    """[texts, classes], of the original definition."""
    ids: list[list[int]] | None
    """The tokens of each text; None in a bundle of an earlier release."""


def golden_rows(bundle: Bundle) -> list[dict[str, Any]]:
    """Return the rows of the golden outputs as JSON has them: a `text` each, with logits by the manifest's `golden_key`.

    Raises:
        BundleInvalid: the bundle has none, or they are malformed.
        BundleDamaged: they have changed since the bundle was opened.
    """
    try:
        lines = bundle.read(GOLDEN).decode("utf-8").split("\n")
        return [{**row, "text": str(row["text"])} for row in map(strict_json.loads, filter(None, lines))]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BundleInvalid(bundle.root, f"{GOLDEN} is malformed ({first_line(error)})") from error


def read_golden(bundle: Bundle) -> Golden:
    """Return the golden outputs, with logits of every engine of the bundle.

    Raises:
        BundleInvalid: the bundle has none, or they are malformed.
        BundleDamaged: they have changed since the bundle was opened.
    """
    rows = golden_rows(bundle)
    texts = [row["text"] for row in rows]
    try:
        ids = [_ids(row) for row in rows] if any("ids" in row for row in rows) else None
        torch = np.array([row["torch"] for row in rows], dtype=np.float32)
        logits = {
            name: np.array([row[bundle.manifest.golden_key(name)] for row in rows], dtype=np.float32)
            for name in bundle.manifest.engines
        }
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BundleInvalid(bundle.root, f"{GOLDEN} is malformed ({first_line(error)})") from error
    if not texts or any(side.shape != (len(texts), len(bundle.manifest.labels)) for side in (torch, *logits.values())):
        raise BundleInvalid(bundle.root, f"{GOLDEN} does not hold logits of {len(bundle.manifest.labels)} classes")
    return Golden(texts, logits, torch, ids)


def _ids(row: dict[str, Any]) -> list[int]:
    return [strict_json.typed(each, int, "an id") for each in strict_json.field(row, "ids", list)]
