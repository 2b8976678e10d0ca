"""Lines of text from stdin or files, read as they arrive and in bounded memory."""

from __future__ import annotations

import io
import os
import sys
from contextlib import nullcontext, suppress
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

_BLOCK = 2**16
"""Bytes to read at once: enough lines to batch by length. A slow pipe or a terminal gives less, and is answered at once."""
LONGEST_LINE = 2**24
"""Bytes of a line that are kept, far more than any model reads."""
_BYTE_ORDER_MARK = "\ufeff"


class Lines(NamedTuple):
    """Consecutive lines, without their line ends."""

    texts: list[str]
    undecodable: int
    """The number of lines that were not UTF-8; their faulty bytes are replaced by U+FFFD."""
    overlong: int
    """The number of lines that were cut to `LONGEST_LINE` bytes."""


def read_lines(paths: Sequence[Path]) -> Iterator[Lines]:
    """Yield the lines of the files, one after the other, or of stdin if there are no files."""
    sources: list[Path | None] = [*paths] or [None]
    for path in sources:
        with _open(path) as file:
            for index, block in enumerate(_split(file)):
                lines = _decode(block)
                if index == 0:
                    lines.texts[0] = lines.texts[0].removeprefix(_BYTE_ORDER_MARK)
                yield lines


def read_first_lines(path: Path, most: int) -> tuple[str, ...]:
    """Return the lines of a file that are not blank, no more than the first `most` of them.

    Raises:
        InputError: there is none.
    """
    texts = (text for lines in read_lines([path]) for text in lines.texts if text.strip())
    kept = tuple(islice(texts, most))
    if not kept:
        raise InputError(f"{path}: no lines with text in it")
    return kept


def _open(path: Path | None) -> AbstractContextManager[BinaryIO]:
    if path is not None:
        return path.open("rb")
    if os.name == "posix":
        with suppress(io.UnsupportedOperation):  # stdin is not a file
            os.set_blocking(sys.stdin.fileno(), True)  # or "nothing yet" would look like the end
    return nullcontext(sys.stdin.buffer)


def _split(file: BinaryIO) -> Iterator[list[bytes]]:
    """Yield the complete lines of each block read; at the end, the rest after the last line end."""
    pending = bytearray()
    while block := file.read1(_BLOCK):  # type: ignore[attr-defined]  # both sources are buffered readers
        *complete, rest = block.split(b"\n")
        if complete:
            yield [_joined(pending, complete[0]), *complete[1:]]
            pending = bytearray()
        pending += rest[: LONGEST_LINE - len(pending)]
    if pending:
        yield [bytes(pending)]


def _joined(start: bytearray, end: bytes) -> bytes:
    return bytes(start + end[: LONGEST_LINE - len(start)])


def _decode(lines: list[bytes]) -> Lines:
    texts, undecodable, overlong = [], 0, 0
    for line in lines:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            text = line.decode("utf-8", "replace")
            cut_short = len(line) == LONGEST_LINE and error.start > LONGEST_LINE - 4  # within the last character
            undecodable += not cut_short
        overlong += len(line) == LONGEST_LINE
        texts.append(text.removesuffix("\r"))
    return Lines(texts, undecodable, overlong)
