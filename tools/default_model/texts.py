"""The labelled texts to train on, apart from those that are held back to choose settings and the temperature by."""

from __future__ import annotations

import csv
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_HELD_BACK = 20
"""One of so many sentences is held back."""
_MEASURED = ("sst2/dev.tsv", "sst5/sst5.dev.tsv", "tweet-sentiment/test.csv", "imdb/test-1000.tsv")
NEITHER = 0.5
_SHARES = {"0": 0.0, "1": 1.0, "negative": 0.0, "neutral": NEITHER, "positive": 1.0}
_SPACED = re.compile(r"[^a-z0-9]+")


class Example(NamedTuple):
    """A text, and how positive it is: 0, 0.5 or 1."""

    text: str
    positive: float
    source: str


class Texts(NamedTuple):
    """Those to train on, and those that are held back."""

    train: list[Example]
    held_back: list[Example]


def read_texts(data: Path) -> Texts:
    """Return the training rows of SST-2, SST-5 and the tweets, without any text that is measured on.

    A sentence of the film reviews is held back with all its phrases.

    Args:
        data: folder of `sst2`, `sst5`, `tweet-sentiment` and `imdb`.
    """
    measured = plain_forms(data / name for name in _MEASURED)
    whole = [*_read(data / "sst5" / "sst5.train.tsv", "sentence", "label3", "sst5")]
    phrases = [*_read(data / "sst2" / "train.tsv", "sentence", "label", "sst2")]
    tweets = [*_read(data / "tweet-sentiment" / "train.csv", "text", "sentiment", "tweets")]
    held = [each for each in (*whole, *tweets) if _is_held_back(each.text)]
    inside = "\n".join(plain(each.text) for each in held if each.source == "sst5")
    kept = [each for each in (*whole, *tweets) if not _is_held_back(each.text)]
    kept += [each for each in phrases if f" {plain(each.text).strip()} " not in inside]
    found: dict[str, Example] = {}
    for each in kept:
        if plain(each.text) not in measured:
            found.setdefault(each.text, each)
    return Texts([*found.values()], [each for each in held if plain(each.text) not in measured])


def clear_ones(examples: Iterable[Example]) -> list[Example]:
    """Return those that are positive or negative."""
    return [each for each in examples if each.positive != NEITHER]


def accuracy_by_source(examples: Sequence[Example], margins: Sequence[float]) -> str:
    """Return the share of right answers of each source, in words.

    Args:
        examples: labelled texts, none of them neither positive nor negative.
        margins: for each, how much the logit of positive is above that of negative.
    """
    right: dict[str, list[bool]] = {}
    for each, margin in zip(examples, margins, strict=True):
        right.setdefault(each.source, []).append((margin > 0) == (each.positive > NEITHER))
    return ", ".join(f"{source} {sum(found) / len(found):.4f}" for source, found in sorted(right.items()))


def plain_forms(files: Iterable[Path]) -> frozenset[str]:
    """Return the plain forms of the texts in tables: no text whose plain form is among them is trained on."""
    return frozenset(plain(text) for path in files for text in _column(path))


def as_written(text: str) -> str:
    """Undo the treebank's spacing (`it 's`, `do n't`, `good .`), so that ordinary text is familiar too."""
    text = re.sub(r" (n't|'\w+)\b", r"\1", text)
    text = re.sub(r" ([.,!?;:])", r"\1", text)
    text = text.replace("``", '"').replace("''", '"')
    return text.replace("-lrb- ", "(").replace(" -rrb-", ")").replace("-LRB- ", "(").replace(" -RRB-", ")")


def plain(text: str) -> str:
    """Return a text's letters and digits, in lower case, with a space between words and around all: to tell copies by."""
    return f" {_SPACED.sub(' ', as_written(text).lower()).strip()} "


def _read(path: Path, text: str, label: str, source: str) -> Iterator[Example]:
    for row in _rows(path):
        if row[text] and row[text].strip() and row[label] in _SHARES:
            yield Example(row[text].strip(), _SHARES[row[label]], source)


def _column(path: Path) -> Iterable[str]:
    return [row.get("sentence") or row.get("text") or "" for row in _rows(path)]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        if path.suffix == ".csv":
            yield from csv.DictReader(lines)
        else:
            yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _is_held_back(text: str) -> bool:
    return int(hashlib.sha256(plain(text).encode()).hexdigest(), 16) % _HELD_BACK == 0
