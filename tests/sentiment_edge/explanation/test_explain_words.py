"""Explanations by occlusion in every view, of a model whose right answer is known."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path

import pytest
from helpers.explained_pages import ODD, shown_text
from helpers.support import Command
from helpers.word_bundle import MASK, positive, put_words
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import Classifier, load
from sentiment_edge.explanation.page import page
from sentiment_edge.explanation.text import text as as_text
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.prediction import Explanation, Prediction, TokenWeight

WORDS = {"good": 1.5, "bad": -2.0, "film": 0.25, "not": -0.75, "a": 0.0}
TEXT = "Not a good film"
TOTAL = 1.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_words(Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path_factory.mktemp("words") / "bundle")), WORDS)


@pytest.fixture(scope="module")
def by_word(folder: Path) -> Classifier:
    return load(folder, threads=1)


def explained(label: str, *weights: float) -> Explanation:
    words = tuple(TokenWeight(label, weight, 0, 0) for weight in weights)
    return Explanation("text", Prediction(label, 1, {label: 1.0}), words, "occlusion", 1 + len(words))


def test_the_terminal_shows_signs_bars_and_the_cost(command: Command, folder: Path) -> None:
    done = command("explain", folder, TEXT)
    assert (done.returncode, done.stderr) == (0, b"")
    title, header, *rows, cost = done.stdout.decode().splitlines()
    assert title == f"positive {positive(TOTAL):.4f}"
    assert header.split() == ["word", "weight"]
    shown = [(row.split()[0], row.split()[1]) for row in rows]
    assert shown == [
        (word, f"{positive(TOTAL) - positive(TOTAL - own + MASK):+.4f}")
        for word, own in (("Not", -0.75), ("a", 0), ("good", 1.5), ("film", 0.25))
    ]
    middle = len(header.rstrip()) + 2 + 15
    assert [row.rstrip()[middle:].count("█") for row in rows] == [0, 2, 15, 4]
    assert [row[:middle].count("█") for row in rows] == [3, 0, 0, 0]
    assert cost == "occlusion, 5 runs of the model; a weight is what the probability of positive loses without the word"


UNREAD = "was not read: the text is longer than the model reads"


def test_the_terminal_says_what_was_not_read_and_what_a_span_is(command: Command, folder: Path) -> None:
    long = "good " * 300 + "<end>"
    _, header, *_, cost, together, unread = command("explain", folder, long).stdout.decode().splitlines()
    assert header.split() == ["word", "or", "span", "weight"]
    assert cost.endswith("; a weight is what the probability of positive loses without the word or span")
    assert (together, unread) == ("words shown together were left out together", f"the end {UNREAD}")
    by_attention = command("explain", "good " * 300, "--method", "attention").stdout.decode().splitlines()
    assert (by_attention[1].split(), by_attention[-1]) == (["token", "attention"], f"the end {UNREAD}")


@pytest.mark.parametrize("text", ["", " ", "\u200d"])
def test_a_text_without_words_has_a_reason_in_place_of_a_table(command: Command, text: str) -> None:
    done = command("explain", "--method", "occlusion", text)
    _, *rest = done.stdout.decode().splitlines()
    assert rest == ["occlusion, 1 run of the model; the model reads no word of this text"]


def test_the_page_says_the_same(by_word: Classifier) -> None:
    long = page(by_word.explain("good " * 300 + "<end>"))
    assert "loses without the word or span. Point at a word" in long
    assert f"The faded end {UNREAD}." in long
    assert "The model reads no word of this text. (occlusion, 1 run of the model)" in page(by_word.explain("", "occlusion"))


def test_colours_tell_for_from_against(command: Command, folder: Path) -> None:
    done = command(
        "explain", folder, TEXT, env={**os.environ, "FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color"}
    )
    assert "38;2;255;140;0" in done.stdout.decode()
    assert "38;2;80;160;255" in done.stdout.decode()


def test_the_method_may_be_asked_for(command: Command, folder: Path) -> None:
    assert command("explain", folder, TEXT, "--method", "occlusion").stdout == command("explain", folder, TEXT).stdout
    assert b"occlusion, 4 runs" in command("explain", "I loved it", "--method", "occlusion").stdout
    refused = command("explain", folder, TEXT, "--method", "attention")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr.decode().splitlines() == [
        f"sentiment-edge: {folder}: a gru-attention model has no attention to show; --method occlusion explains any model"
    ]
    assert command("explain", folder, TEXT, "--method", "gradient").returncode == 2


def test_json_has_what_python_has(command: Command, folder: Path, by_word: Classifier, tmp_path: Path) -> None:
    done = command("explain", folder, TEXT, "--json", "--html", tmp_path / "page.html")
    assert json.loads(done.stdout) == by_word.explain(TEXT).to_dict()
    assert shown_text((tmp_path / "page.html").read_text("utf-8")) == TEXT


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=80)
    | st.lists(st.sampled_from([*WORDS])).map(" ".join)
)
def test_the_page_shows_the_text_as_it_is(by_word: Classifier, text: str) -> None:
    assert shown_text(page(by_word.explain(text))) == text


def test_the_page_tells_for_from_against(by_word: Classifier) -> None:
    html = page(by_word.explain(TEXT))
    share = abs(positive(TOTAL) - positive(TOTAL + 0.75 + MASK)) / (positive(TOTAL) - positive(TOTAL - 1.5 + MASK))
    assert f'<span class="token against" style="--share: {share:.3f}" title="Not: -' in html
    assert '<span class="token" style="--share: 1.000" title="good: +' in html
    assert "loses without the word" in html
    assert "(occlusion, 5 runs of the model)" in html
    unread = page(by_word.explain("good " * 300 + "& <end>"))
    assert '<span class="unread">' in unread
    assert "&amp; &lt;end&gt;</span>" in unread


def test_a_long_span_is_cut_short_in_the_terminal() -> None:
    shown = as_text(explained("many words " * 20, 0.5))
    assert "many words many words many words many words many words many …" not in shown
    assert f"{('many words ' * 20)[:59]}…  " in shown


@pytest.mark.parametrize("label", ODD)
@pytest.mark.parametrize("weights", [(), (0.0,), (math.nan, -0.5), (-math.inf, 1.0), (-1.0, 0.5), (-0.25,)])
def test_any_labels_and_weights_have_views(label: str, weights: tuple[float, ...]) -> None:
    explanation = explained(label, *weights)
    shown = as_text(explanation) + page(explanation)
    assert "nan" not in shown
    assert "inf" not in shown


@pytest.mark.parametrize("label", [*ODD, "long " * 100])
def test_a_picture_of_any_label(label: str) -> None:
    pytest.importorskip("matplotlib")
    from sentiment_edge.explanation.picture import picture  # noqa: PLC0415 - where it is installed

    assert picture(explained(label, 0.5, -0.25)).startswith(b"\x89PNG")
