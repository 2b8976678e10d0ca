from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.explained_pages import ODD, shown_text
from helpers.support import Command, edit_manifest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_edge import load
from sentiment_edge.cli.common.output import write_page
from sentiment_edge.explanation.page import page
from sentiment_edge.explanation.text import text as as_text
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.prediction import Explanation, Prediction, TokenWeight

CLASSIFIER = load(threads=1)


def explained(label: str, *weights: float) -> Explanation:
    """An explanation whose tokens are the label too, with any weights."""
    tokens = tuple(TokenWeight(label, weight, 0, 0) for weight in weights)
    return Explanation("text", Prediction(label, weights[0] if weights else 1, {label: 1.0}), tokens)


def test_the_terminal_shows_every_token(command: Command) -> None:
    done = command("explain", "I loved it!")
    assert (done.returncode, done.stderr) == (0, b"")
    words = [line.split()[0] for line in done.stdout.decode().splitlines()[2:]]
    assert words == ["[CLS]", "i", "loved", "it", "!", "[SEP]"]
    assert b"\x1b[" not in done.stdout


def test_a_bundle_may_come_first(command: Command) -> None:
    assert command("explain", DEFAULT_BUNDLE, "I loved it!").stdout == command("explain", "I loved it!").stdout


def test_colour_is_used_where_it_can_be(command: Command) -> None:
    done = command("explain", "I loved it!", env={**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert b"\x1b[" in done.stdout


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=80))
def test_the_page_shows_the_text_as_it_is(text: str) -> None:
    assert shown_text(page(CLASSIFIER.explain(text))) == text


def test_the_page_fades_what_was_not_read() -> None:
    html = page(CLASSIFIER.explain("good " * 300 + "& <end>"))
    assert '<span class="unread">' in html
    assert "&amp; &lt;end&gt;</span>" in html


def test_files_are_written_whole_or_not_at_all(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    html, png = tmp_path / "a.html", tmp_path / "a.png"
    done = command("explain", "I paid $5 for 好 <b>this</b>?", "--html", html, "--png", png)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert shown_text(html.read_text("utf-8")) == "I paid $5 for 好 <b>this</b>?"
    assert png.read_bytes().startswith(b"\x89PNG")
    done = command("explain", "text", "--html", tmp_path / "absent" / "a.html")
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.png"]


def test_what_cannot_be_written_is_named(command: Command, tmp_path: Path) -> None:
    assert command("explain", "text", "--html", tmp_path).returncode == 2
    done = command("explain", "text", "--html", "a" * 5000)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    if Path("/dev/stdout").exists():
        assert command("explain", "text", "--html", "/dev/stdout").stdout.startswith(b"<!doctype html>")


def test_output_is_utf8_whatever_the_locale(command: Command) -> None:
    done = command("explain", "I loved it!", env={**os.environ, "PYTHONIOENCODING": "cp1252", "COLUMNS": "20"})
    assert done.returncode == 0
    assert "loved " in done.stdout.decode()


def test_without_the_extra_the_command_to_install_it_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['matplotlib.figure'] = None\n"
        "from sentiment_edge.cli import app; app(['explain', 'x', '--png', 'a.png'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert b"pip install 'sentiment-edge[plot]'" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [[], ["bundle", "two", "texts"]])
def test_wrong_usage_is_status_2(command: Command, arguments: list[str]) -> None:
    assert command("explain", *arguments).returncode == 2


@pytest.mark.parametrize("label", ODD)
def test_a_label_is_text_and_no_markup(label: str) -> None:
    shown = as_text(explained(label, 0.5, 0.25)).splitlines()
    visible = label if label.isprintable() or " " in label else repr(label)[1:-1]
    assert shown[0].rstrip() == f"{visible} 0.5000"
    assert [line.split("  ")[0].strip() for line in shown[2:]] == [visible, visible]


@pytest.mark.parametrize("label", ODD)
def test_a_picture_shows_every_label(label: str) -> None:
    mpl = pytest.importorskip("matplotlib")
    from sentiment_edge.explanation.picture import picture  # noqa: PLC0415 - where it is installed

    with mpl.rc_context({"text.usetex": True}):  # which would hand the text to a program
        assert picture(explained(label, 0.5)).startswith(b"\x89PNG")


def test_what_a_font_lacks_is_no_warning(command: Command, bundle_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    edit_manifest(bundle_folder, labels=["مرحبا 好\ud800$x^{", "שלום $ हिन्दी"])
    done = command("explain", bundle_folder, "Dreadful.", "--png", tmp_path / "a.png")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("label", ODD)
def test_a_page_is_utf8_without_control_characters(tmp_path: Path, label: str) -> None:
    html = page(explained(f'{label}"<i>', 0.5))
    assert "<i>" not in html
    write_page(tmp_path / "a.html", html)
    written = (tmp_path / "a.html").read_bytes().decode()
    assert all(character.isprintable() or character in "\n\u202e" for character in written)


@pytest.mark.parametrize("weights", [(), (0.0,), (math.nan, 0.5), (math.inf, 1.0), (-1.0, 2.0), (-1.0,)])
def test_any_weights_have_views(weights: tuple[float, ...]) -> None:
    explanation = explained("label", *weights)
    shown = as_text(explanation) + page(explanation)
    assert "nan" not in shown
    assert "inf" not in shown
    if importlib.util.find_spec("matplotlib"):
        from sentiment_edge.explanation.picture import picture  # noqa: PLC0415 - where it is installed

        assert picture(explanation).startswith(b"\x89PNG")


def test_a_file_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 250 + ".html")
    write_page(path, "page")
    assert path.read_text() == "page"
