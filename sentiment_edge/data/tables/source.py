"""The bytes of a file or of stdin, decompressed where they are compressed."""

from __future__ import annotations

import io
import os
import stat
import sys
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from sentiment_edge_runtimes.errors import InputError, first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STDIN = Path("-")
"""The path that means stdin."""
BLOCK = 2**16
"""Bytes to read at once; a pipe that is slow gives less, which is read at once."""
_MAGIC = {".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\0", ".zst": b"\x28\xb5\x2f\xfd"}
"""The first bytes of what is compressed, by the ending of its name."""
_ZSTD = ("compression.zstd", "backports.zstd", "zstandard")
"""Modules that read zst: Python's own from 3.14, and two packages."""

_ZSTD_BLOCK = 2**14
"""Bytes to decompress at once, which may become thousands of times as many."""


class Listener:
    """A listener to the reading of a source. Each method does nothing here; a subclass overrides what it wants to hear."""

    def before_wait(self) -> None:
        """Hear that the next bytes may come much later; a pipe or a terminal gives them when it pleases."""

    def after_read(self, block: bytes) -> None:
        """Hear what has been read, decompressed."""


NOBODY = Listener()
"""The default: nobody listens."""


class ByteSource(NamedTuple):
    """Bytes to read."""

    name: str
    """The path as messages show it."""
    stream: BinaryIO
    """Decompressed."""
    ending: str
    """That of the name without the one of the compression, in lower case, such as `.csv`; empty for stdin."""
    path: Path | None
    """The file, if it is one that can be read twice."""
    packed: bool
    """It is compressed."""
    live: bool
    """It may give a part of its bytes much later than another: a pipe or a terminal."""
    share: Callable[[], float | None]
    """Returns how much has been read, from 0 to 1; None where the size is not known."""
    listener: Listener = NOBODY

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes as they come.

        Raises:
            InputError: they cannot be read to the end.
        """
        while True:
            if self.live:
                self.listener.before_wait()
            block = self._read()
            if not block:
                return
            self.listener.after_read(block)
            yield block

    def first(self, size: int) -> bytes:
        """Return the first bytes and leave them to be read."""
        try:
            return cast("bytes", self.stream.peek(size))[:size]  # type: ignore[attr-defined]
        except Exception as error:
            raise self._unreadable(error) from error

    def _read(self) -> bytes:
        try:
            return cast("bytes", self.stream.read1(BLOCK))  # type: ignore[attr-defined]  # all sources are buffered
        except Exception as error:  # each library that decompresses has errors of its own
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> InputError:
        return InputError(f"{self.name}: cannot be read to its end ({_reason(error)}); it may be damaged or cut short")


@contextmanager
def open_source(path: Path, listener: Listener = NOBODY) -> Iterator[ByteSource]:
    """Open a file, or stdin for the path `-`; what begins as compressed bytes do is decompressed.

    Raises:
        InputError: it cannot be opened, or not be decompressed.
    """
    name = "stdin" if path == STDIN else str(path)
    with ExitStack() as stack:
        raw = _stdin() if path == STDIN else stack.enter_context(_open(path))
        status = _status(raw)
        packed = _compression(name, path.suffix.lower(), raw.peek(8))
        stream = io.BufferedReader(stack.enter_context(_decompressed(name, packed, raw)), BLOCK) if packed else raw
        ending = without_compression(path).suffix.lower()
        regular = status is None or stat.S_ISREG(status.st_mode)
        share = partial(_share, raw, status.st_size if status is not None and regular else 0)
        again = path if regular and path != STDIN else None
        yield ByteSource(
            name, cast("BinaryIO", stream), "" if path == STDIN else ending, again, bool(packed), not regular, share, listener
        )


def without_compression(path: Path) -> Path:
    """Return a path without the ending of a compression."""
    return path.with_suffix("") if path.suffix.lower() in _MAGIC else path


def _open(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)}); give the path of a file of texts") from error


def _stdin() -> io.BufferedReader:
    if sys.stdin is None:
        raise InputError("stdin: it is closed; give a file instead of -")
    if os.name == "posix":
        with suppress(io.UnsupportedOperation):  # stdin is not a file
            os.set_blocking(sys.stdin.fileno(), True)  # or "nothing yet" would look like the end
    stream = sys.stdin.buffer
    return stream if hasattr(stream, "peek") else io.BufferedReader(stream)  # type: ignore[return-value, arg-type]


def _status(raw: io.BufferedReader) -> os.stat_result | None:
    try:
        return os.fstat(raw.fileno())
    except OSError:  # bytes in memory
        return None


def _share(raw: io.BufferedReader, size: int) -> float | None:
    return min(raw.tell() / size, 1.0) if size else None


def _compression(name: str, ending: str, first: bytes) -> str:
    found = next((kind for kind, magic in _MAGIC.items() if first.startswith(magic)), "")
    if ending in _MAGIC and found != ending and first:
        raise InputError(f"{name}: not compressed as its ending {ending} says; give it the ending of what it is")
    return found


def _decompressed(name: str, kind: str, raw: io.BufferedReader) -> Any:  # noqa: ANN401 - of no common class
    if kind == ".gz":
        return import_module("gzip").GzipFile(fileobj=raw)
    if kind == ".bz2":
        return import_module("bz2").BZ2File(raw)
    if kind == ".xz":
        return import_module("lzma").LZMAFile(raw)
    for module in _ZSTD:
        with suppress(ImportError):
            zstd = import_module(module)
            return zstd.open(raw, "rb") if hasattr(zstd, "ZstdFile") else _Frames(raw, zstd.ZstdDecompressor())
    raise InputError(f"{name}: no package here reads zst: pip install zstandard, or decompress the file first")


class _Frames(io.RawIOBase):
    """What the package zstandard decompresses; its own reader ends after the first frame, and within one without a word."""

    def __init__(self, raw: io.BufferedReader, decompressor: Any) -> None:  # noqa: ANN401 - an optional package's
        self._raw = raw
        self._new = decompressor.decompressobj
        self._frame: Any = None
        self._packed = self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever has room for bytes
        while not self._ready:
            self._packed = self._packed or self._raw.read1(_ZSTD_BLOCK)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("it ends within a frame")
                return 0
            self._unpack()
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def _unpack(self) -> None:
        self._frame = self._frame or self._new()
        self._ready = self._frame.decompress(self._packed)
        self._packed = self._frame.unused_data if self._frame.eof else b""
        self._frame = None if self._frame.eof else self._frame


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or first_line(error)
