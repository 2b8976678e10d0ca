"""The errors of an export, from checkpoint to bundle; each is a `SentimentEdgeError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LONGEST_NAME = 200
"""Characters of a name from a file that a message shows as they are."""


class CheckpointError(SentimentEdgeError, ValueError):
    """A checkpoint whose files are missing, damaged or contradict each other."""


class UnknownModel(SentimentEdgeError, LookupError):
    """A model that is neither a known name, nor a folder, nor a Hub id."""

    def __init__(self, name: str, nearest: Iterable[str]) -> None:
        guess = " or ".join(nearest)
        advice = f"did you mean {guess}?" if guess else "`sentiment-edge models` lists the names"
        super().__init__(f"{name}: no such model or folder; {advice} (a Hub id has the form owner/name)")


class HubError(SentimentEdgeError, OSError):
    """A failed download from the Hub."""


class OutputError(SentimentEdgeError, OSError):
    """An output that cannot be written."""


class OutputExists(OutputError, FileExistsError):
    """An output that exists already."""

    def __init__(self, output: Path) -> None:
        super().__init__(f"{output} exists; choose another `output`, or `overwrite` it")


class ExportError(SentimentEdgeError, RuntimeError):
    """A model that cannot be exported as requested."""


def shown(name: object) -> str:
    """Return a name from a file, such as a tensor's, for a message: on one line and not overlong."""
    return name if isinstance(name, str) and name.isprintable() and len(name) <= _LONGEST_NAME else f"{name!r:.60}"
