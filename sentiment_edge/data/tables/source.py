"""The bytes of a file or of stdin, decompressed where they are compressed."""

from __future__ import annotations

import io
import os
import stat
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from sentiment_edge_runtimes.errors import InputError, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@dataclass(frozen=True, slots=True)
class ByteSource:
    """Bytes to read."""

    name: str
    """The path as messages show it."""
    stream: BinaryIO
    """Decompressed."""
    ending: str
    """That of the name without the one of the compression, in lower case, such as `.csv`; empty for stdin."""
    path: Path | None
    """The file, if it is one that can be read twice and is not compressed."""
    live: bool
    """It may give a part of its bytes much later than another: a pipe or a terminal."""

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes as they come.

        Raises:
            InputError: they cannot be read to the end.
        """
        while block := self._read():
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
def open_source(path: Path) -> Iterator[ByteSource]:
    """Open a file, or stdin for the path `-`; what begins as compressed bytes do is decompressed.

    Raises:
        InputError: it cannot be opened, or not be decompressed.
    """
    name = "stdin" if path == STDIN else str(path)
    with ExitStack() as stack:
        raw = _stdin() if path == STDIN else stack.enter_context(_open(path))
        mode = _mode(raw)
        packed = _compression(name, path.suffix.lower(), raw.peek(8))
        stream = io.BufferedReader(stack.enter_context(_decompressed(name, packed, raw)), BLOCK) if packed else raw
        ending = (path.with_suffix("") if path.suffix.lower() in _MAGIC else path).suffix.lower()
        regular = stat.S_ISREG(mode)
        again = path if regular and not packed and path != STDIN else None
        yield ByteSource(name, cast("BinaryIO", stream), "" if path == STDIN else ending, again, not regular)


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


def _mode(raw: io.BufferedReader) -> int:
    try:
        return os.fstat(raw.fileno()).st_mode
    except OSError:  # bytes in memory
        return stat.S_IFREG


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
