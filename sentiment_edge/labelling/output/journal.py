"""The journal of a run: how far its output reaches, and of what input and options.

It is JSON beside the unfinished output, replaced as a whole. Everything before the position that it names lies on the disk by
then; what was written after it is cut off when the run goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sentiment_edge.data.tables.source import open_source
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows."""

    rows: int
    """Rows of the input that are answered or left out."""
    input_bytes: int
    """Decompressed bytes of the input that have been read, in which those rows lie."""
    input_sha256: str
    """Of these bytes."""
    tally: dict[str, Any]
    """The numbers that the run counts."""
    output_bytes: int


@dataclass(frozen=True, slots=True)
class Journal:
    """The contents of the file."""

    identity: dict[str, Any]
    """Bundle, engine, options and reading of the input, which must be the same where a run goes on."""
    position: Position

    def write(self, path: Path) -> None:
        """Write the file beside itself and rename it."""
        new = _beside(path)
        entries = {"version": _VERSION, **asdict(self)}
        try:
            with new.open("w", encoding="utf-8") as file:
                json.dump({"sha256": _sha256(entries), **entries}, file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise


def read_journal(path: Path) -> Journal | None:
    """Return the journal of an interrupted run; None if there is none.

    Raises:
        InputError: it is damaged, or of another version of this program.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if entries.pop("sha256") != _sha256(entries) or entries["version"] != _VERSION:
            raise ValueError(path)  # noqa: TRY301 - told below
        return Journal(entries["identity"], Position(**entries["position"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: no journal that this version can read; leave `resume` out to start anew") from error


def remove_journal(path: Path) -> None:
    """Remove a journal, if there is one, and one that was never finished."""
    for each in (path, _beside(path)):
        each.unlink(missing_ok=True)


def check_input(path: Path, position: Position) -> None:
    """Check that the bytes of the input up to a position are still the same; more may have come after them.

    Raises:
        InputError: they are not.
    """
    digest, left = hashlib.sha256(), position.input_bytes
    with open_source(path) as source:
        for block in source.blocks():
            digest.update(block[:left])
            left -= min(left, len(block))
            if not left:
                break
    if left or digest.hexdigest() != position.input_sha256:
        raise InputError(f"{path}: it has changed since the interrupted run began; leave `resume` out to start anew")


def _sha256(entries: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
