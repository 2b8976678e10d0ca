"""A taker of the output's bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from sentiment_edge.labelling.writers.escapes import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sentiment_edge.data.tables.record import Table
    from sentiment_edge.labelling.output.journal import Position
    from sentiment_edge.labelling.row import OutputFormat


class Sink:
    """Takes records and writes them as UTF-8 whatever the locale is; stdout, and what is no regular file.

    Args:
        stream: what takes the bytes.
        is_terminal: it is a terminal.
        path: the file of the stream, which then is closed at the end; None for stdout.
    """

    def __init__(self, stream: BinaryIO, *, is_terminal: bool = False, path: Path | None = None) -> None:
        self.stream = stream
        self.is_terminal = is_terminal
        self.path = path
        self.note = ""
        """A remark on what was found at the place of the output."""

    def put(self, record: str) -> None:
        """Write a record; to a terminal without delay, and with nothing that it would obey."""
        shown = for_terminal(record.replace("\r\n", "\n")) if self.is_terminal else record
        self.stream.write(shown.encode("utf-8", "replace"))
        if self.is_terminal:
            self.flush()

    def flush(self) -> None:
        """Let what was written be seen."""
        self.stream.flush()

    def resume(self, identity: Callable[[], dict[str, Any]]) -> Position | None:  # noqa: ARG002 - see PartFile
        """Return the position from which an interrupted run goes on: none."""
        return None

    def hold(self, rows: int, read: tuple[int, str], tally: dict[str, Any]) -> None:
        """Note that so many rows of the input are done.

        Args:
            rows: their number.
            read: the number of bytes that have been read, in which they lie, and the SHA-256 of these.
            tally: the numbers that the run counts.
        """

    def finish(self) -> None:
        """Give the output its name."""
        self.flush()
        self.close()

    def abandon(self) -> str:
        """Leave the output unfinished; return a remark, if something is kept."""
        self.close()
        return ""

    def close(self) -> None:
        """Close a file of its own, whatever comes of what it still holds."""
        if self.path is not None:
            with suppress(OSError):  # such as a full disk's
                self.stream.close()


@contextmanager
def naming(path: Path | None) -> Iterator[None]:
    """Let an error of the system in the block name a file, if there is one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, error.filename if path is None else str(path)) from error


OpenOutput = Callable[["OutputFormat", "Table"], Sink]
"""Returns the output for a format, and for rows like those of a table."""
