"""The errors of an export, from checkpoint to bundle; each is a `SentimentEdgeError`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_OUT_OF_MEMORY = ("bad_alloc", "bad allocation", "can't allocate memory", "not enough memory", "Failed to allocate memory")
"""Parts of the messages by which C++, torch and engines tell that there is no memory left."""
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


@contextmanager
def memory_named() -> Iterator[None]:
    """Turn the many errors of a lack of memory into one that says what to do about it.

    Raises:
        ExportError: there is not enough memory.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or any(part in str(error) for part in _OUT_OF_MEMORY):
            raise ExportError(
                "there is not enough memory for this export; a smaller `max_length` takes less, as the attention of long texts "
                "takes most, or export on a machine with more memory"
            ) from error
        raise


def shown(name: object) -> str:
    """Return a name from a file, such as a tensor's, for a message: on one line and not overlong."""
    return name if isinstance(name, str) and name.isprintable() and len(name) <= _LONGEST_NAME else f"{name!r:.60}"
