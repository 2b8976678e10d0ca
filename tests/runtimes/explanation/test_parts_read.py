"""Words with the tokens that the model reads of them, for every kind of tokenizer."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from helpers.crafted_tokenizers import SOUND
from helpers.word_bundle import word_pieces
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from sentiment_edge_runtimes.explanation.parts import read_words
from sentiment_edge_runtimes.tokenization.text_tokenizer import encodable

if TYPE_CHECKING:
    from collections.abc import Sequence


def byte_level(*merges: str, trim: bool) -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs: list[tuple[str, str]] = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *alphabet, *("".join(pair) for pair in pairs)]
    tokenizer = Tokenizer(models.BPE({piece: index for index, piece in enumerate(pieces)}, pairs, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=not trim)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=trim)
    return tokenizer


def unigram(*pieces: str, split: bool = True, fallback: bool = False) -> Tokenizer:
    bytes_of = [f"<0x{value:02X}>" for value in range(256)] if fallback else []
    scored = [(piece, -float(index)) for index, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *pieces, *bytes_of])]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=3, byte_fallback=fallback))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(split=split)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=False)
    return tokenizer


def sound(contents: bytes) -> Tokenizer:
    """As the runtime sets it up: whole texts, without padding."""
    tokenizer = Tokenizer.from_buffer(contents)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


TOKENIZERS = {
    **{name: sound(contents) for name, contents in SOUND.items()},
    "as BERT's": Tokenizer.from_buffer(word_pieces(["good", "film", "not", "don", "t", "'", "##s", "a", "!"])),
    "as RoBERTa's": byte_level("g o", "o d", "! !", "Ġ g", trim=True),
    "as GPT-2's": byte_level("g o", "Ġ go", "å ¥", "å¥ ½", trim=False),
    "as XLM-R's": unigram("▁good", "▁film", "▁", "s", "好", "电影", "!"),
    "as ALBERT's, over spaces": unigram("▁good", "▁good▁film", "▁", "s", "!", split=False),
    "with bytes": unigram("▁good", "▁", fallback=True),
}
WORDS = [
    "good",
    "film",
    "films",
    "don't",
    "goods!!",
    "电影好",
    "😀",
    "\N{VULGAR FRACTION ONE HALF}",
    "ﬁlm",
    "é",
    "a" * 40,
    "\t",
    "  ",
]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=8).map(" ".join) | st.text(max_size=30)


def read(tokenizer: Tokenizer, text: str) -> tuple[list[str], Sequence[tuple[int, int]]]:
    encoding = tokenizer.encode(encodable(text))
    return encoding.tokens, encoding.offsets


@pytest.mark.parametrize("name", TOKENIZERS)
@given(text=TEXTS)
def test_each_token_of_a_word_is_in_one_part(name: str, text: str) -> None:
    _, offsets = read(TOKENIZERS[name], text)
    parts = read_words(text, offsets)
    assert all(end <= start for (_, end, _), (start, _, _) in pairwise(parts))
    assert all(text[part.start : part.end].strip() == text[part.start : part.end] != "" for part in parts)
    places = [place for part in parts for place in part.tokens]
    assert len(places) == len({*places})
    assert all(part.tokens for part in parts)
    covering = {place for place, (start, end) in enumerate(offsets) if text[start:end].strip()}
    assert {*places} == covering
    for part in parts:
        for place in part.tokens:
            start, end = offsets[place]
            assert part.start <= start + len(text[start:end]) - len(text[start:end].lstrip())
            assert start + len(text[start:end].rstrip()) <= part.end


@pytest.mark.parametrize(
    ("name", "text", "parts"),
    [
        ("as BERT's", "I don't, films!", [("I", 1), ("don't", 3), (",", 1), ("films", 2), ("!", 1)]),
        ("as BERT's", "电影 好", [("电", 1), ("影", 1), ("好", 1)]),
        ("as BERT's", "good \ufeff\u200d film", [("good", 1), ("film", 1)]),
        ("as RoBERTa's", "good!!", [("good", 2), ("!!", 1)]),
        ("as RoBERTa's", "a😀b", [("a", 1), ("😀", 4), ("b", 1)]),
        ("as GPT-2's", " good 好", [("good", 3), ("好", 1)]),
        ("as XLM-R's", "good 电影好!", [("good", 1), ("电影", 1), ("好", 1), ("!", 1)]),
        ("as XLM-R's", "½ ﬁ", [("½", 2), ("ﬁ", 1)]),
        ("as ALBERT's, over spaces", "good film good", [("good film", 1), ("good", 1)]),
        ("WordPiece", "good ### film", [("good", 1), ("###", 1), ("film", 1)]),
    ],
)
def test_parts(name: str, text: str, parts: list[tuple[str, int]]) -> None:
    tokens, offsets = read(TOKENIZERS[name], text)
    found = [(text[part.start : part.end], len(part.tokens)) for part in read_words(text, offsets)]
    assert found == parts, json.dumps([tokens, offsets], ensure_ascii=False)


def test_a_word_that_is_read_in_part_ends_there() -> None:
    (part,) = read_words("goodness me", [(0, 0), (0, 4)])
    assert part == (0, 4, (1,))


@pytest.mark.parametrize(
    "last", ["\u2764\ufe0f", "cafe\u0301", "\u0e14\u0e35", "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}"]
)
@pytest.mark.parametrize("after", ["", " ", " good", "!"])
def test_the_last_word_keeps_the_marks_that_a_tokenizer_drops(last: str, after: str) -> None:
    text = f"good {last}{after}"
    assert read_words(text, [(0, 4), (5, 4 + len(last))]) == [(0, 4, (0,)), (5, 5 + len(last), (1,))]


def test_a_word_that_is_read_in_part_keeps_the_marks_there() -> None:
    (part,) = read_words("cafe\u0301s", [(0, 4)])
    assert part == (0, 5, (0,))


def test_offsets_that_a_forger_made_cost_no_time() -> None:
    words = 2000
    text = "a " * words
    (part,) = read_words(text, [(0, len(text))] * words)
    assert (part.start, part.end, len(part.tokens)) == (0, len(text) - 1, words)
    assert read_words(text, [(7, 3), (-5, 0), (10**9, 10**9 + 1)]) == []
