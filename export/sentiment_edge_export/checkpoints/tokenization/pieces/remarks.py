"""Where a tokenizer.json cannot give SentencePiece's tokens of every text: in words, and for a text whose tokens differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentiment_edge_export.checkpoints.tokenization.pieces.character_rules import is_private
from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import USER_DEFINED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentiment_edge_export.checkpoints.tokenization.pieces.classes import Layout
    from sentiment_edge_export.checkpoints.tokenization.pieces.preprocessing import Preprocessing
    from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import SentencePieceModel

_TIES = "two splits of a word that score the same: SentencePiece adds in 32 bits, so that rounding decides between them"
_COMMAS = "a comma after a digit, which the tokenizer's class splits off after the pieces are chosen, tokenizer.json before"
_CAPITALS = "a special token in other capitals, which the tokenizer's class takes for the token"
_SYMBOLS = "one of the symbols {}, which SentencePiece scores below any piece"
_BYTES = "a character without a piece of its own that special tokens begin with; its bytes stand for it, and are wrong"
_RESERVED = "a code point between U+E0EFF and U+E0FFF, which no character has: its bytes are another's"
_INTRODUCTION = "the tokens of a text may differ from SentencePiece's where it has "
_ROUNDING = 2.0**-23


def without_digit_commas(layout: Layout, model: SentencePieceModel) -> Layout:
    """Return the layout without the pieces that end in a digit and a comma: a text never has them."""
    dropped = {index for number, index in layout.places.items() if _ends_in_comma(model.pieces[number].text)}
    places = {number: index for number, index in layout.places.items() if index not in dropped}
    return layout._replace(places=places)


@dataclass(frozen=True)
class Remarks:
    """The differences that a tokenizer.json of a model may have."""

    model: SentencePieceModel
    layout: Layout
    prepare: Preprocessing
    ids: Callable[[str], list[int]]
    """Returns the token ids of a text by tokenizer.json."""
    expected: Callable[[str], list[int]]
    """Returns the token ids of a text by SentencePiece."""

    def notes(self) -> tuple[str, ...]:
        """Return what may differ, a sentence each; ties, which any unigram model may have, are named where they are met."""
        found: list[str] = []
        if self._splits_commas():
            found.append(_COMMAS)
        if self._lowered_tokens():
            found.append(_CAPITALS)
        if symbols := self._low_symbols():
            found.append(_SYMBOLS.format(", ".join(symbols)))
        if self._unknown_beginnings():
            found.append(_BYTES)
        if self.model.bytes_of_unknown:
            found.append(_RESERVED)
        return tuple(_INTRODUCTION + remark for remark in found)

    def named(self, text: str) -> str | None:
        """Return the kind of difference that the tokens of a text have; None if it is none that is known."""
        lowered = self.prepare.lowered(text)
        if any(lowered.count(token) > text.count(token) for token in self._lowered_tokens()):
            return _CAPITALS
        if symbols := [symbol for symbol in self._low_symbols() if symbol in text]:
            return _SYMBOLS.format(", ".join(symbols))
        if any(character in text for character in self._unknown_beginnings()):
            return _BYTES
        if self.model.bytes_of_unknown and is_private(text):
            return _RESERVED
        ids, expected = self.ids(text), self.expected(text)
        rounding = _ROUNDING * max(1.0, abs(sum(map(self._score, expected))))
        kinds = set()
        for ours, theirs, rest in self._blocks(ids, expected):
            if abs(sum(map(self._score, ours)) - sum(map(self._score, theirs))) <= rounding * (len(ours) + len(theirs)):
                kinds.add(_TIES)
            elif self._splits_commas() and re.search(r"\d,", "".join(map(self._text, (*theirs, *rest[:1])))):
                kinds.add(_COMMAS)
            else:
                return None
        return "; ".join(sorted(kinds)) or None

    def _blocks(self, ids: list[int], expected: list[int]) -> Iterator[tuple[list[int], list[int], list[int]]]:
        """Yield the shortest parts that differ and are of the same text, and the tokens after them."""
        here = there = 0
        while here < len(ids) and there < len(expected):
            start, begin = here, there
            here, there = here + 1, there + 1
            if ids[start] == expected[begin]:
                continue
            while (ours := self._joined(ids[start:here])) != (theirs := self._joined(expected[begin:there])):
                if len(ours) < len(theirs) and here < len(ids):
                    here += 1
                elif len(theirs) < len(ours) and there < len(expected):
                    there += 1
                else:
                    yield [], expected[begin:], []  # not of one text
                    return
            yield ids[start:here], expected[begin:there], expected[there:]
        if here < len(ids) or there < len(expected):
            yield ids[here:], expected[there:], []

    def _joined(self, ids: Sequence[int]) -> str:
        return "".join(map(self._text, ids))

    def _text(self, index: int) -> str:
        piece = index - self.layout.offset
        return self.model.pieces[piece].text if self.layout.places.get(piece) == index else "\0"

    def _score(self, index: int) -> float:
        piece = index - self.layout.offset
        return self.model.score(piece) if self.layout.places.get(piece) == index else self.model.lowest - 10

    def _splits_commas(self) -> bool:
        return self.prepare.cleans and any(_ends_in_comma(self.model.pieces[number].text) for number in self.layout.places)

    def _lowered_tokens(self) -> list[str]:
        """Return the added tokens that a text with capitals may have, once it is lowered."""
        return [token for token in self.layout.added if self.prepare.lowers and token == token.lower() != token.upper()]

    def _unknown_beginnings(self) -> set[str]:
        """Return the unknown characters whose bytes the library does not see, for others stand for them."""
        known = {self.model.pieces[number].text for number in self.layout.places}
        return {text[0] for text in self.layout.reserved.values()} - known if self.model.bytes_of_unknown else set()

    def _low_symbols(self) -> list[str]:
        model = self.model
        return [
            piece.text
            for piece in model.pieces
            if piece.kind == USER_DEFINED
            and piece.text not in self.layout.added
            and (len(piece.text) > 1 if model.algorithm == "bpe" else model.symbol_score(piece) < model.lowest)
        ]


def _ends_in_comma(text: str) -> bool:
    return len(text) > 1 and text[-1] == "," and text[-2].isdigit()
