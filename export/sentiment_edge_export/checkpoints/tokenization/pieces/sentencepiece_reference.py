"""A checkpoint's tokenizer by SentencePiece itself, with the rules of its class in transformers: what ids are compared with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from sentiment_edge_export.checkpoints.tokenization.reference import TokenizerReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_export.checkpoints.tokenization.pieces.classes import Layout
    from sentiment_edge_export.checkpoints.tokenization.pieces.preprocessing import Preprocessing
    from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import SentencePieceModel

_SPACE = "▁"


class _Processor(Protocol):
    """What is used of SentencePiece."""

    def encode(self, text: str, *, out_type: type[str]) -> list[str]:
        """Return the pieces of a text."""

    def piece_to_id(self, piece: str) -> int:
        """Return a piece's number, that of unknown characters if there is no such piece."""


def sentencepiece_reference(model: SentencePieceModel, layout: Layout, prepare: Preprocessing, name: str) -> TokenizerReference:
    """Return the tokenizer of a class, given by its name."""
    import sentencepiece  # noqa: PLC0415 - an extra

    processor = sentencepiece.SentencePieceProcessor(model_proto=model.contents)
    reference = _Reference(processor, model.unknown, layout, prepare)
    return TokenizerReference(f"sentencepiece {sentencepiece.__version__} {name}", reference.ids)


class _Reference:
    """A text is split at added tokens; SentencePiece reads what lies between them, each part as a text of its own."""

    def __init__(self, processor: _Processor, unknown: int, layout: Layout, prepare: Preprocessing) -> None:
        self._processor = processor
        self._unknown = unknown
        self._layout = layout
        self._prepare = prepare
        longest_first = sorted(layout.added, key=len, reverse=True)
        self._added = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")

    def ids(self, text: str) -> list[int]:
        """Return a text's token ids with special tokens."""
        added = self._layout.added
        found = [index for part in self._parts(text) for index in ([added[part]] if part in added else self._read(part))]
        return [*(added[token] for token in self._layout.before), *found, *(added[token] for token in self._layout.after)]

    def _parts(self, text: str) -> list[str]:
        """Split a text at added tokens; some take the spaces at their sides."""
        parts = [
            small
            for part in self._added.split(text)
            for small in ([part] if part in self._layout.added else self._added.split(self._prepare.lowered(part)))
            if small
        ]
        for place, part in enumerate(parts):
            flags = self._layout.flags.get(part)
            if flags and flags.lstrip and place and parts[place - 1] not in self._layout.added:
                parts[place - 1] = parts[place - 1].rstrip()
            if flags and flags.rstrip and place + 1 < len(parts) and parts[place + 1] not in self._layout.added:
                parts[place + 1] = parts[place + 1].lstrip()
        return parts

    def _read(self, text: str) -> Iterator[int]:
        for piece in self._processor.encode(self._prepare(text), out_type=str):
            for part in self._without_comma(piece) if self._prepare.cleans else [piece]:
                yield self._layout.added[part] if part in self._layout.added else self._id(self._processor.piece_to_id(part))

    def _id(self, number: int) -> int:
        return self._layout.unknown if number == self._unknown else number + self._layout.offset

    def _without_comma(self, piece: str) -> list[str]:
        """Split a comma from the digit before it, as BERT does."""
        if len(piece) == 1 or not piece.endswith(",") or not piece[-2].isdigit():
            return [piece]
        parts = self._processor.encode(piece[:-1].replace(_SPACE, ""), out_type=str)
        if not piece.startswith(_SPACE) and parts[0].startswith(_SPACE):
            parts = parts[1:] if parts[0] == _SPACE else [parts[0][1:], *parts[1:]]
        return [*parts, ","]
