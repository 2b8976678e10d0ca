"""Words by a text's own characters."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge_runtimes.explanation.words import find_words

MARKS = "e\u0301 \u200d\ufe0f\u00ad\u200c' \N{RIGHT SINGLE QUOTATION MARK}_👍🏽🇩🇪هہम्ด็好カ!?1\n"
TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from(MARKS), max_size=60)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \n\t\u3000 ", []),
        ("I don't like it!!", ["I", "don't", "like", "it", "!", "!"]),
        (
            "'quoted' rock\N{RIGHT SINGLE QUOTATION MARK}n\N{RIGHT SINGLE QUOTATION MARK}roll's",
            ["'", "quoted", "'", "rock\N{RIGHT SINGLE QUOTATION MARK}n\N{RIGHT SINGLE QUOTATION MARK}roll's"],
        ),
        ("well-made, x_y #tag 3rd", ["well", "-", "made", ",", "x_y", "#", "tag", "3rd"]),
        ("naïve cafe\u0301", ["naïve", "cafe\u0301"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("한국어 좋아요", ["한국어", "좋아요"]),
        ("这部film好。", ["这", "部", "film", "好", "。"]),
        ("日本語カナ", ["日", "本", "語", "カ", "ナ"]),
        ("ดีมาก", ["ดี", "ม", "า", "ก"]),
        ("👩‍👩‍👧👍🏽🇩🇪🇫🇷❤️1️⃣", ["👩‍👩‍👧", "👍🏽", "🇩🇪", "🇫🇷", "❤️", "1️⃣"]),
        ("😀😀a", ["😀", "😀", "a"]),
        ("😀\u200da", ["😀\u200d", "a"]),
        ("soft\u00adhyphen", ["soft\u00adhyphen"]),
        ("\u0301a \ud800", ["\u0301", "a", "\ud800"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in find_words(text)] == words


@given(TEXTS)
def test_every_character_but_white_space_is_in_one_word(text: str) -> None:
    found = find_words(text)
    assert all(start < end for start, end in found)
    assert all(end <= start for (_, end), (start, _) in pairwise(found))
    assert "".join(text[start:end] for start, end in found) == "".join(text.split())


@given(TEXTS, TEXTS)
def test_words_do_not_depend_on_what_is_beyond_white_space(first: str, second: str) -> None:
    alone = [text[start:end] for text in (first, second) for start, end in find_words(text)]
    together = f"{first}\n{second}"
    assert [together[start:end] for start, end in find_words(together)] == alone
