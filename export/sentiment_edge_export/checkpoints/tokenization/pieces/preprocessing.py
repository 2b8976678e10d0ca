"""Steps of the classes of transformers before SentencePiece reads a text: as normalizers, and in Python."""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tokenizers import Regex
from tokenizers.normalizers import NFKD, Lowercase, Normalizer, Replace

from sentiment_edge_export.checkpoints.tokenization.pieces.character_rules import characters

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoints.tokenization.pieces.classes import PieceClass
    from sentiment_edge_export.checkpoints.tokenization.settings import TokenizerSettings

_QUOTES = ("``", "''")


@dataclass(frozen=True)
class Preprocessing:
    """The steps that a class takes."""

    lowers: bool
    cleans: bool
    """True for the classes that replace quotes, and may drop accents; they also split a comma from the digit before it."""
    trims: bool
    keeps_accents: bool

    def normalizers(self) -> tuple[Normalizer, ...]:
        """Return the steps as normalizers."""
        steps: list[Normalizer] = [Lowercase()] if self.lowers else []
        if self.cleans and self.trims:
            spaces = characters(filter(str.isspace, map(chr, range(sys.maxunicode + 1))))
            steps += [Replace(Regex(f"{spaces}+"), " "), Replace(Regex(r"\A +| +\z"), "")]
        if self.cleans:
            steps += [Replace(quotes, '"') for quotes in _QUOTES]
        if not self.keeps_accents:
            steps += [NFKD(), Replace(Regex(_accents()), "")]
        return (*steps, Lowercase()) if self.lowers and not self.keeps_accents else tuple(steps)

    def lowered(self, text: str) -> str:
        """Return a text in small letters, each letter by itself, if the class does so."""
        return "".join(map(str.lower, text)) if self.lowers else text

    def __call__(self, text: str) -> str:
        """Return a text that has no added token as SentencePiece reads it."""
        if not self.cleans:
            return self.lowered(text)
        text = " ".join(text.split()) if self.trims else text
        for quotes in _QUOTES:
            text = text.replace(quotes, '"')
        if not self.keeps_accents:
            text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        return text.lower() if self.lowers else text


def preprocessing(kind: PieceClass, settings: TokenizerSettings) -> Preprocessing:
    """Return the steps of a class with the settings of a folder.

    Raises:
        CheckpointError: a setting is neither true nor false.
    """
    cleans = kind.keeps_accents is not None
    return Preprocessing(
        lowers=kind.lowers is not None and bool(settings.switch("do_lower_case", kind.lowers)),
        cleans=cleans,
        trims=bool(settings.switch("remove_space", default=True)),
        keeps_accents=not cleans or bool(settings.switch("keep_accents", kind.keeps_accents)),
    )


@lru_cache(maxsize=1)
def _accents() -> str:
    return characters(c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.combining(c))
