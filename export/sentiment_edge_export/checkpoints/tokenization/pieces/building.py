"""A tokenizer.json of a SentencePiece model: the same pieces of every text.

The library's models know no piece that is never found in a text, so that `<s>`, written in wide letters, would become the
token. Here the first character of every such piece is another one in texts and pieces, which no text has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tokenizers import AddedToken, Regex, Tokenizer, decoders
from tokenizers.models import BPE, Unigram
from tokenizers.normalizers import Prepend, Replace, Sequence
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing

from sentiment_edge_export.checkpoints.tokenization.pieces.character_rules import (
    NotExact,
    character_rules,
    clear_private,
    is_private,
)
from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import NORMAL, USER_DEFINED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokenizers.normalizers import Normalizer

    from sentiment_edge_export.checkpoints.tokenization.pieces.classes import Layout
    from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import SentencePieceModel

SPACE = "▁"
_HIDDEN, _FILLER, _KEPT = 0xE0F10, 0xE0FFF, 0xE0F80
"""Code points that no text has: for first characters, for tokens without a text, and for symbols that are not normalized."""


class Vocabulary(NamedTuple):
    """Texts of all tokens as the library's model sees them."""

    texts: tuple[str, ...]
    scores: tuple[float, ...]
    hidden: Mapping[str, str]
    """First characters of pieces that are not found in a text, and what stands for them."""
    shown: tuple[str, ...]
    """Pieces that are found in a text, but are added tokens, too: they keep their text."""

    def seen(self, text: str) -> str:
        """Return a text as the library's model sees it."""
        text = self.hide(text)
        for piece in self.shown:
            text = text.replace(self.hide(piece), piece)
        return text

    def hide(self, text: str) -> str:
        """Return a text with other characters for the hidden ones."""
        return "".join(self.hidden.get(character, character) for character in text)


def build(model: SentencePieceModel, layout: Layout, before: tuple[Normalizer, ...]) -> Tokenizer:
    """Build the tokenizer; `before` is what the tokenizer's class does to a text first.

    Raises:
        NotExact: no chain of normalizers follows the model's map of characters, or a piece has the chain's own code points.
    """
    if own := next((piece.text for piece in model.pieces if is_private(piece.text)), None):
        raise NotExact(f"the reserved code points in its piece {own!a}")
    vocabulary = _vocabulary(model, layout)
    tokenizer = Tokenizer(
        _unigram(model, layout, vocabulary) if model.algorithm == "unigram" else _bpe(model, layout, vocabulary)
    )
    tokenizer.normalizer = Sequence([clear_private(), *before, *_normalizers(model, vocabulary)])
    if _splits(model):
        tokenizer.pre_tokenizer = Metaspace(SPACE, prepend_scheme="never", split=True)
    tokenizer.decoder = decoders.Metaspace(SPACE, prepend_scheme="always")
    tokenizer.add_tokens([_added(token, layout.flags.get(token)) for token in layout.added])
    tokenizer.post_processor = TemplateProcessing(
        single=[*layout.before, "$A", *layout.after],
        special_tokens=[(token, layout.added[token]) for token in {*layout.before, *layout.after}],
    )
    return tokenizer


def _added(text: str, flags: AddedToken | None) -> AddedToken:
    """Return an added token as it is found in a text before it is normalized."""
    if flags is None:
        return AddedToken(text, normalized=False, special=True)
    return AddedToken(
        text, single_word=flags.single_word, lstrip=flags.lstrip, rstrip=flags.rstrip, normalized=False, special=True
    )


def _vocabulary(model: SentencePieceModel, layout: Layout) -> Vocabulary:
    found = {index: model.pieces[number].text for number, index in layout.places.items()}
    hidden = {first: chr(_HIDDEN + place) for place, first in enumerate(sorted({text[0] for text in layout.reserved.values()}))}
    shown = tuple(text for text in found.values() if text in layout.added and {*text} & {*hidden})
    vocabulary = Vocabulary((), (), hidden, shown)
    scores = {index: model.score(number) for number, index in layout.places.items()}
    size = 1 + max(*found, *layout.reserved, layout.unknown)
    texts = [
        vocabulary.seen(found[index]) if index in found else layout.reserved.get(index, f"{chr(_FILLER)}{index}")
        for index in range(size)
    ]
    return vocabulary._replace(texts=tuple(texts), scores=tuple(scores.get(index, model.lowest) for index in range(size)))


def _unigram(model: SentencePieceModel, layout: Layout, vocabulary: Vocabulary) -> Unigram:
    return Unigram(
        [*zip(vocabulary.texts, vocabulary.scores, strict=True)], unk_id=layout.unknown, byte_fallback=model.bytes_of_unknown
    )


def _bpe(model: SentencePieceModel, layout: Layout, vocabulary: Vocabulary) -> BPE:
    texts = vocabulary.texts
    return BPE(
        {text: index for index, text in enumerate(texts)},
        [(vocabulary.seen(left), vocabulary.seen(right)) for left, right in _merges(model)],
        unk_token=texts[layout.unknown],
        fuse_unk=True,
        byte_fallback=model.bytes_of_unknown,
    )


def _merges(model: SentencePieceModel) -> list[tuple[str, str]]:
    """Return the pairs that are merged, the first ones first."""
    ranks = {piece.text: -piece.score for piece in model.pieces if piece.kind == NORMAL}
    found = [
        (rank, number, cut, text)
        for number, (text, rank) in enumerate(ranks.items())
        for cut in range(1, len(text))
        if text[:cut] in ranks and text[cut:] in ranks
    ]
    return [(text[:cut], text[cut:]) for _, _, cut, text in sorted(found)]


def _splits(model: SentencePieceModel) -> bool:
    """Tell whether words can be read one by one: no piece goes beyond a space, and a space is never unknown."""
    texts = [piece.text for piece in model.pieces if piece.kind in (NORMAL, USER_DEFINED)]
    return SPACE in texts and not any(SPACE in text[1:] for text in texts)


def _normalizers(model: SentencePieceModel, vocabulary: Vocabulary) -> Iterator[Normalizer]:
    if model.dummy_prefix and not model.trims_spaces:
        yield Prepend(SPACE)
    if model.character_map:
        rules = character_rules(model.character_map)
        kept = _kept(model, Sequence([*rules]))
        yield from _keep(kept)
        yield from rules
        yield from (Replace(chr(_KEPT + place), text) for place, text in enumerate(kept))
    if model.trims_spaces:
        yield Replace(Regex(" {2,}"), " ")
        yield Replace(Regex(r"\A +"), "")
    yield Replace(" ", SPACE)
    if model.trims_spaces:
        if model.dummy_prefix:
            yield Prepend(SPACE)
        yield Replace(Regex(f"{SPACE}+\\z"), "")
    for first, other in vocabulary.hidden.items():
        yield Replace(first, other)
    for piece in vocabulary.shown:
        yield Replace(vocabulary.hide(piece), piece)


def _kept(model: SentencePieceModel, rules: Normalizer) -> list[str]:
    """Return the symbols that SentencePiece does not normalize, though its map would change them."""
    symbols = [piece.text for piece in model.pieces if piece.kind == USER_DEFINED]
    return [
        text for text in symbols if any(rules.normalize_str(near) != near for near in (text, f"{text}\u0338", f"{text}\u0301"))
    ]


def _keep(kept: list[str]) -> Iterator[Normalizer]:
    """Yield the steps that put symbols aside, the leftmost and longest first."""
    ends = chr(_KEPT + len(kept))
    if kept:
        longest_first = sorted(kept, key=len, reverse=True)
        yield Replace(Regex(f"(?:{'|'.join(map(_quoted, longest_first))})\\K"), ends)
        for text in longest_first:
            yield Replace(text + ends, chr(_KEPT + kept.index(text)))


def _quoted(text: str) -> str:
    return "".join(f"\\x{{{ord(character):x}}}" for character in text)
