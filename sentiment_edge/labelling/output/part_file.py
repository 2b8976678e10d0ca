"""A file that is written beside its target, as `TARGET.part`, and gets its name when it is whole."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from sentiment_edge.labelling.output.journal import Journal, Position, check_input, read_journal, remove_journal
from sentiment_edge.labelling.output.sink import Sink, naming
from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SECONDS = 1.0
"""Between two entries of the journal, each of which waits for the disk."""


class PartFile(Sink):
    """An unfinished file.

    Args:
        target: its name at last.
        source: the input, if the run can go on after an interruption: then a journal is kept.
        resume: go on with what an interrupted run left.
        keep: what was written is of use even if the run is interrupted.

    Raises:
        OSError: it cannot be written; the error names the target.
    """

    def __init__(self, target: Path, source: Path | None, *, resume: bool, keep: bool) -> None:
        self._target, self._part, self._journal = files_of(target)
        self._source = source
        self._keep = keep
        self._identity: dict[str, Any] = {}
        self._held: Position | None = None
        self._written = 0.0
        self._interrupted = read_journal(self._journal) if resume and self._part.exists() else None
        with naming(self._target):
            opened = os.open(self._part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            super().__init__(os.fdopen(opened, "r+b"), path=self._target)
            try:
                self._begin(resume=resume)
            except BaseException:
                self.close()
                raise

    def resume(self, identity: Callable[[], dict[str, Any]]) -> Position | None:
        """Return the position from which an interrupted run goes on, with the file cut there; None for a new run.

        Raises:
            InputError: bundle, options or input are not those of the interrupted run, or its file is damaged.
        """
        if self._source is None:
            return None
        self._identity = identity()
        if self._interrupted is None:
            return None
        changed = [name for name, value in self._interrupted.identity.items() if self._identity.get(name) != value]
        if changed:
            raise InputError(
                f"{self._target}: the interrupted run differs in {', '.join(changed)}; "
                "go on as it began, or leave `resume` out to start anew"
            )
        position = self._interrupted.position
        check_input(self._source, position)
        if self._part.stat().st_size < position.output_bytes:
            raise InputError(f"{self._part}: shorter than its journal says; leave `resume` out to start anew")
        self.stream.seek(position.output_bytes)
        self.stream.truncate()
        self._held = position
        return position

    def hold(self, rows: int, read: tuple[int, str], tally: dict[str, Any]) -> None:
        """Note that so many rows of the input are done, and now and then write it down."""
        if self._source is None:
            return
        self.flush()
        self._held = Position(rows, *read, tally, self.stream.tell())
        if time.monotonic() > self._written + _SECONDS:
            self._write_down(self._held)

    def finish(self) -> None:
        """Give the file its name."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        if os.name != "posix":  # which renames what is open, so that no other run comes in between
            self.stream.close()
        self._part.replace(self._target)
        remove_journal(self._journal)
        self.stream.close()

    def abandon(self) -> str:
        """Keep what is of use, and say so."""
        with suppress(OSError):  # such as a full disk's
            self.stream.flush()
        if self._held is not None:
            with suppress(OSError):
                self._write_down(self._held)
            self.close()
            return f"the first {self._held.rows} rows are kept in {self._part}; `resume` goes on after them"
        self.close()
        if self._interrupted is not None:  # and not gone on with
            return ""
        if self._keep and self._source is None and self._part.stat().st_size > 0:
            return f"what is done lies in {self._part}"
        self._part.unlink(missing_ok=True)
        return ""

    def _begin(self, *, resume: bool) -> None:
        _lock(self.stream, self._target)
        with suppress(OSError):  # a new file, or a system without modes
            self._part.chmod(stat.S_IMODE(self._target.stat().st_mode))
        if not self._interrupted:
            self.note = self._what_is_made_anew(resume=resume)
            self.stream.truncate()
            remove_journal(self._journal)

    def _what_is_made_anew(self, *, resume: bool) -> str:
        if resume:
            return f"no interrupted run left anything; {self._target} is made anew" if self._target.exists() else ""
        with suppress(InputError):
            given_up = read_journal(self._journal)
            if given_up is not None:
                return f"an interrupted run's {given_up.position.rows} rows are given up, as `resume` is not given"
        return ""

    def _write_down(self, position: Position) -> None:
        with naming(self._target):
            os.fsync(self.stream.fileno())
            Journal(self._identity, position).write(self._journal)
        self._written = time.monotonic()


def files_of(target: Path) -> tuple[Path, Path, Path]:
    """Return the target, through a link where it is one, and the unfinished file and the journal beside it."""
    target = target.resolve()
    return target, target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.part.json")


def _lock(stream: BinaryIO, target: Path) -> None:
    """Refuse a file that another run is writing, where the system can tell."""
    with suppress(ImportError):
        import fcntl  # noqa: PLC0415 - POSIX has it

        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{target}: another run is writing it; wait for its end, or choose another `output`") from error
        except OSError:  # a file system without locks
            return
