"""Rows that wait for their answers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sentiment_edge.data.tables.record import ArrowRow, JsonObject
from sentiment_edge.data.tables.source import Listener

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge.data.tables.record import Record

_ROWS, _SIZE = 1024, 2**22
"""The most rows that wait, and about the most characters in all their cells: enough to find several texts of each length."""


class WaitingRows(Listener):
    """Rows of one file, answered together: once there are many, before the source is waited for, and at the end."""

    def __init__(self) -> None:
        self.answer: Callable[[list[tuple[Record, str]]], None] | None = None
        self._rows: list[tuple[Record, str]] = []
        self._size = 0
        self._bytes = 0
        self._digest = hashlib.sha256()

    @property
    def are_many(self) -> bool:
        """Whether they should be answered now."""
        return len(self._rows) >= _ROWS or self._size >= _SIZE

    @property
    def read_so_far(self) -> tuple[int, str]:
        """The number of the bytes that were read, and their SHA-256."""
        return self._bytes, self._digest.copy().hexdigest()

    def add(self, record: Record, text: str) -> None:
        """Let a row wait."""
        self._rows.append((record, text))
        self._size += _size(record)

    def flush(self) -> None:
        """Answer all of them."""
        rows, self._rows, self._size = self._rows, [], 0
        if rows and self.answer is not None:
            self.answer(rows)

    def before_wait(self) -> None:
        """Answer what has come, as more may come much later."""
        self.flush()

    def after_read(self, block: bytes) -> None:
        """Note what has been read."""
        self._bytes += len(block)
        self._digest.update(block)


def _size(record: Record) -> int:
    if isinstance(record.original, ArrowRow):
        return record.original.size
    return len(record.original.text) if isinstance(record.original, JsonObject) else sum(map(len, record.cells))
