"""Text from bytes: its encoding, its line ends, and the places that are not text."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING

from sentiment_edge.data.tables.record import WANTED
from sentiment_edge.data.tables.source import BLOCK, open_source
from sentiment_edge_runtimes.errors import InputError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sentiment_edge.data.tables.source import ByteSource

LONGEST_LINE = 2**24
"""Characters of a line that are kept: more than the cells of a row may have."""
MARK = "\udcff"
"""Stands in decoded text for bytes that are not text in its encoding; no encoding gives it."""
MARKS = "sentiment_edge.marks"
"""The name of the way to decode that puts them there."""
BYTE_ORDER_MARK = "\ufeff"
_BY_BYTE_ORDER_MARK = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""A longer mark before the one that it begins with."""
_LEAST_NULS, _OTHER_NULS = 0.5, 0.02
"""UTF-16 without a mark: the least share of its 2-byte units whose high byte is NUL, and the most whose low byte is."""
_CONTROLS = {*map(chr, range(32))} - {"\t", "\n", "\r", "\f", "\v"}

codecs.register_error(MARKS, lambda error: (MARK, getattr(error, "end", 0)))


class Text:
    """The decoded text of a source, with a sample of its beginning from which its format is told."""

    def __init__(self, source: ByteSource, encoding: str | None) -> None:
        self._source = source
        self._blocks = source.blocks()
        first = _first(self._blocks, live=source.live)
        self.marked = first.startswith(tuple(_BY_BYTE_ORDER_MARK))
        """It begins with a byte order mark."""
        self.guessed = encoding is None and not self.marked and _without_mark(first) != ""
        """The encoding was told from the content."""
        self.encoding = encoding or _detected(first)
        self._decoder = _decoder(self.encoding)(errors=MARKS)
        self.faulty = False
        """A NUL or a `MARK` was among what `blocks` has given so far."""
        self.sample = self._decode(first).removeprefix(BYTE_ORDER_MARK)
        self.line_end = "\r" if "\r" in self.sample and "\n" not in self.sample else "\n"

    @property
    def is_utf8(self) -> bool:
        """Whether UTF-8 says the same."""
        return codecs.lookup(self.encoding).name in {"utf-8", "utf-8-sig", "ascii"}

    @property
    def can_be_read_twice(self) -> bool:
        """Whether `ahead` gives the whole file."""
        return self._source.path is not None

    def ahead(self, end: str) -> Iterator[str]:
        """Yield the lines of the whole file where it can be read twice, otherwise the whole ones of the sample."""
        if self._source.path is None:
            yield from (line for line in split(iter([self.sample]), end) if line.endswith(end))
            return
        with open_source(self._source.path) as source:
            yield from split(Text(source, self.encoding).blocks(), end)

    def blocks(self) -> Iterator[str]:
        """Yield the text as it comes, from its beginning."""
        self._check(self.sample)
        yield self.sample
        for block in self._blocks:
            text = self._decode(block)
            self._check(text)
            yield text
        rest = self._decode(b"", final=True)
        self._check(rest)
        yield rest

    def lines(self) -> Iterator[str]:
        """Yield the lines with their line ends, one that is too long cut short."""
        return split(self.blocks(), self.line_end)

    def _check(self, text: str) -> None:
        self.faulty = self.faulty or "\0" in text or MARK in text

    def _decode(self, block: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(block, final)
        except UnicodeError as error:  # of the few encodings that know no error handler
            raise InputError(f"{self._source.name}: not text in {self.encoding}; name another by `encoding`") from error


def split(blocks: Iterator[str], end: str) -> Iterator[str]:
    """Yield the lines of text that comes in blocks, with their line ends; what is too much of a line is dropped."""
    begun: list[str] = []
    size = 0
    for block in blocks:
        lines = _split(block, end)
        rest = lines.pop() if lines and not lines[-1].endswith(end) else ""
        if lines and begun:
            lines[0] = "".join([*begun, lines[0]])
            begun, size = [], 0
        yield from lines
        if rest and size < LONGEST_LINE:
            begun.append(rest)
            size += len(rest)
    if begun:
        yield "".join(begun)


def flaw(text: str, encoding: str) -> str:
    """Return the reason why a part of a text is not text, if so."""
    if MARK in text:
        return f"not {encoding.upper()}"
    return "a NUL in it" if "\0" in text else ""


def not_text(name: str, text: Text) -> InputError:
    """Return the error for a file whose beginning is not text in its encoding."""
    return InputError(f"{name}: not text in {text.encoding.upper()}; save it so, or name its encoding by `encoding`; {WANTED}")


def _split(block: str, end: str) -> list[str]:
    if end == "\n":
        return io.StringIO(block, newline="\n").readlines()
    lines = [line + end for line in block.split(end)]
    lines[-1] = lines[-1].removesuffix(end)
    return lines if lines[-1] else lines[:-1]


def _first(blocks: Iterator[bytes], *, live: bool) -> bytes:
    """Return the first bytes; of a source that may be slow, no more than came with the first line end."""
    first = bytearray()
    for block in blocks:
        first += block
        if len(first) >= BLOCK or (live and (b"\n" in first or b"\r" in first[:-1])):  # half of \r\n may come first
            break
    return bytes(first)


def _detected(first: bytes) -> str:
    marked = next((encoding for mark, encoding in _BY_BYTE_ORDER_MARK.items() if first.startswith(mark)), "")
    return marked or _without_mark(first) or "utf-8"


def _without_mark(first: bytes) -> str:
    """Return the kind of UTF-16 that NULs in every second byte prove, if they do."""
    units = len(first) // 2
    nuls = {"utf-16-be": first[0::2].count(0), "utf-16-le": first[1::2].count(0)}
    for (encoding, count), other in zip(nuls.items(), reversed(nuls.values()), strict=True):
        if count > 1 and count >= _LEAST_NULS * units and other <= _OTHER_NULS * count:
            text = first[: units * 2].decode(encoding, "ignore")
            return "" if _CONTROLS & {*text} else encoding
    return ""


def _decoder(encoding: str) -> Callable[..., codecs.IncrementalDecoder]:
    try:
        b"a".decode(encoding, "ignore")  # refuses what is no encoding of text
        return codecs.getincrementaldecoder(encoding)
    except (LookupError, UnicodeError, ValueError) as error:
        raise OptionError("encoding", f"{encoding!r:.40} is no encoding that is known here; utf-8 and cp1252 are") from error
