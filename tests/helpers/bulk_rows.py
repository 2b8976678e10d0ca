"""Rows for clusters to label: with nulls, blanks, emoji, very long texts, and columns that must stay as they are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helpers.support import edit_manifest
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sentiment_edge_runtimes.classifier import Classifier

TEXTS = (
    "A warm, funny film.",
    None,
    "It drags. \N{SLEEPING FACE}",
    "",
    " \t\n",
    "so " * 3000 + "dull",
    "Not bad at all, {}!",
    "\N{PILE OF POO}" * 7,
    "Number {} of a dull series, and the worst.",
)
ENCODERS = Path(__file__).parents[2] / ".bench"


def rows(count: int) -> list[dict[str, Any]]:
    """Return rows with an id, a text or none, and two other columns, one of which has a name that answers have."""
    texts = [TEXTS[number % len(TEXTS)] for number in range(count)]
    return [
        {"id": number, "text": text and text.format(number), "label": f"shelf {number % 7}", "stars": number / 2}
        for number, text in enumerate(texts)
    ]


def expected(classifier: Classifier, texts: Iterable[str | None]) -> list[dict[str, Any] | None]:
    """Return what the classifier answers, with nothing for a text that is missing or blank."""
    kept = [text if text and text.strip() else None for text in texts]
    found = iter(classifier([text for text in kept if text]))
    return [next(found).to_dict() if text else None for text in kept]


def bundle_of_ones_own(folder: Path) -> Path:
    """Copy the default bundle with other labels: whoever has only the default one cannot give its answers."""
    shutil.copytree(DEFAULT_BUNDLE, folder)
    edit_manifest(folder, labels=["bad", "good"])
    return folder


def encoder() -> Path:
    """Return an encoder's bundle that `make bench` has left, or skip the test."""
    found = sorted(ENCODERS.glob("distilbert-mini-ours-*"))
    if not found:
        pytest.skip("no bundle of an encoder; `make bench` exports one")
    return found[-1]


def fails(run: Callable[[], object]) -> str:
    """Return the message of what goes wrong."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever the cluster wraps it in
        run()
    return str(raised.value).rstrip()


def our_line(run: Callable[[], object]) -> str:
    """Return the last line of the message of what goes wrong that this project wrote; Ray adds some of its own."""
    message = fails(run)
    lines = [line for line in message.splitlines() if line.startswith("sentiment_edge")]
    assert lines, message
    return lines[-1]
