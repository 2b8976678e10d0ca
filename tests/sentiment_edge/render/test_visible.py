from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge.render.text import aligned, listed, plain, visible

JOINERS = "\u200c\u200d"
TEXTS = st.text(st.characters()) | st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")))


@given(TEXTS)
def test_every_character_can_be_shown(text: str) -> None:
    assert all(character.isprintable() or character in JOINERS for character in visible(text))


@given(TEXTS)
def test_what_can_be_shown_stays(text: str) -> None:
    printable = "".join(character for character in text if character.isprintable() or character in JOINERS)
    assert visible(printable) == printable
    assert visible(visible(text)) == visible(text)


@given(TEXTS.filter(lambda text: "\\" not in text and "'" not in text))
def test_nothing_is_lost(text: str) -> None:
    assert ast.literal_eval(f"'{visible(text)}'") == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\r\t", r"a\nb\r\t"),
        ("\x7f\x9b31m", r"\x7f\x9b31m"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("\ud800", r"\ud800"),
        (r"C:\data\x1b", r"C:\data\x1b"),
        ("می‌خواهم 👩‍🚀 好 é", "می‌خواهم 👩‍🚀 好 é"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(TEXTS, st.integers(1, 30))
def test_a_cut_text_is_one_line_of_at_most_that_width(text: str, width: int) -> None:
    shown = plain(text, width)
    assert len(shown) <= width
    assert visible(shown) == shown


def test_white_space_in_a_cut_text_is_spaces() -> None:
    assert plain("a\tb\nc\u3000d\x1b", 20) == r"a b c d\x1b"


def test_tables_and_lists_of_names() -> None:
    assert aligned([["\x1b", "1"], ["ab", "22"]]) == "\\x1b   1\nab    22"
    assert listed(["\x9b", "b\n"]) == r"\x9b, b "
