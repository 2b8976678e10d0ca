"""The default model on each kind of text, beside another: what its card says.

    python benchmarks/default_model.py --data FOLDER [--against BUNDLE] [--fp32 BUNDLE]

Accuracy and calibration error by kind of text, texts without sentiment, and swapped names and groups. FOLDER holds `sst2`,
`tweet-sentiment` and `imdb`; `--fp32` is an export of the same checkpoint without int8. `default_cost.py` has speed and memory.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from measuring import describe_machine

from sentiment_edge import load
from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge.data.labelled import LabelledText, Selection, read_labelled
from sentiment_edge.metrics import Outcomes, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.classifier import Classifier

_SENTENCES = Path(__file__).parent / "sentences"
_FILES = {
    "film phrases (SST-2, dev)": "sst2/dev.tsv",
    "tweets (test, without the neutral ones)": "tweet-sentiment/test.csv",
    "long film reviews (IMDb, 1,000)": "imdb/test-1000.tsv",
}
_WORDED = {
    "negations": re.compile(r"\b(?:not|no|never|nothing|none|nobody|without)\b|n['` ]?t\b", re.IGNORECASE),
    "comparisons": re.compile(r"\bthan\b", re.IGNORECASE),
    "questions": re.compile(r"\?"),
}
"""Kinds of which the phrases and tweets are picked by their words."""
_CLASSES = {"0": 0, "1": 1, "negative": 0, "positive": 1}


class _Sentence(NamedTuple):
    """A row of plain.tsv."""

    text: str
    label: str
    kind: str


class _Kind(NamedTuple):
    name: str
    texts: list[str]
    truth: NDArray[np.int64]


def main() -> None:
    """Label every kind of text with each bundle, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", help="the default is the one that ships in the package")
    parser.add_argument("--against", help="another bundle, such as the default of an earlier version")
    parser.add_argument("--fp32", help="the bundle in fp32")
    given = parser.parse_args()
    print(describe_machine("onnxruntime"))
    bundles = {"int8, as shipped": given.bundle or "", "fp32": given.fp32, "before": given.against}
    classifiers = {name: load(bundle) if bundle else load() for name, bundle in bundles.items() if bundle is not None}
    print(f"| kind of text | texts | {' | '.join(classifiers)} |\n|---|---|{'---|' * len(classifiers)}")
    for kind in _kinds(given.data):
        measured = [_measure(classifier, kind) for classifier in classifiers.values()]
        print(f"| {kind.name} | {len(kind.texts):,} | {' | '.join(measured)} |", flush=True)
    neutral = (_SENTENCES / "neutral.tsv").read_text("utf-8").splitlines()[1:]
    distances = [f"{np.abs(_positive(each, neutral) - 0.5).mean():.3f}" for each in classifiers.values()]
    print(f"| without sentiment: mean of the distance from 0.5 | {len(neutral)} | {' | '.join(distances)} |")
    for name, groups in _swaps().items():
        changes = [f"{_mean_change(each, groups):.4f}" for each in classifiers.values()]
        print(f"| {name}: mean change of the score | {sum(map(len, groups))} | {' | '.join(changes)} |", flush=True)


def _kinds(data: Path) -> Iterator[_Kind]:
    rows = {name: _read(data / file) for name, file in _FILES.items()}
    plain = [_Sentence(*line.split("\t")) for line in (_SENTENCES / "plain.tsv").read_text("utf-8").splitlines()[1:]]
    yield from (_kind(name, found) for name, found in rows.items())
    phrases, tweets, _ = rows.values()
    for name, words in _WORDED.items():
        yield _kind(f"{name} among the phrases and tweets", [row for row in [*phrases, *tweets] if words.search(row.text)])
    yield _kind("plain sentences, all", plain)
    for name in dict.fromkeys(sentence.kind for sentence in plain):
        yield _kind(f"plain sentences: {name}", [sentence for sentence in plain if sentence.kind == name])


def _read(path: Path) -> list[LabelledText]:
    rows = read_labelled(path, Selection(skip_bad=True), TerminalProgress())
    return [row for row in rows if row.label in _CLASSES]


def _kind(name: str, rows: Sequence[LabelledText | _Sentence]) -> _Kind:
    return _Kind(name, [row.text for row in rows], np.array([_CLASSES[row.label] for row in rows]))


def _measure(classifier: Classifier, kind: _Kind) -> str:
    """Return accuracy and calibration error."""
    positive = _positive(classifier, kind.texts)
    probabilities = np.stack([1 - positive, positive], axis=1)
    found = evaluate(Outcomes(("negative", "positive"), kind.truth, (positive > 1 / 2).astype(np.int64), probabilities))
    error = found.calibration_error
    return f"{found.accuracy:.2%}, {error:.3f}" if error is not None else f"{found.accuracy:.2%}"


def _positive(classifier: Classifier, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the probability of positive for each text."""
    return np.array([each.scores["positive"] for each in classifier.stream(texts)])


def _swaps() -> dict[str, list[list[str]]]:
    """Return, for names and for groups, sentences that differ in nothing else, template by template."""
    lists = tomllib.loads((_SENTENCES / "swaps.toml").read_text("utf-8"))
    return {
        f"{name} swapped": [[template.format(each) for each in lists[name]] for template in lists[templates]]
        for name, templates in (("names", "with_name"), ("groups", "with_group"))
    }


def _mean_change(classifier: Classifier, templates: Sequence[Sequence[str]]) -> float:
    """Return how much the probability changes on average where one term takes the place of another."""
    changes = [abs(a - b) for texts in templates for a, b in combinations(_positive(classifier, texts), 2)]
    return float(np.mean(changes))


if __name__ == "__main__":
    main()
