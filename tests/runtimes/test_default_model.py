"""The model that comes with the package: its card, and what the card promises, in int8 as shipped."""

from __future__ import annotations

import tomllib
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sentiment_edge import load
from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge.data.labelled import Selection
from sentiment_edge.evaluation.run import evaluate_classifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentiment_edge.metrics import Evaluation
    from sentiment_edge_runtimes.classifier import Classifier

ROOT = Path(__file__).parents[2]
SENTENCES = ROOT / "benchmarks" / "sentences"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load()


def evaluated(classifier: Classifier, path: Path) -> Evaluation:
    selection = Selection(mapping={"neutral": ""} if path.suffix == ".csv" else {}, skip_bad=True)
    return evaluate_classifier(classifier, path, selection, TerminalProgress()).run.evaluation


def positive(classifier: Classifier, texts: Sequence[str]) -> list[float]:
    return [each.scores["positive"] for each in classifier(texts)]


@pytest.mark.parametrize(
    ("data", "accuracy"),
    [("sst2/dev.tsv", 0.87), ("tweet-sentiment/test.csv", 0.93), ("imdb/test-1000.tsv", 0.815)],
)
def test_accuracy(classifier: Classifier, shared: Callable[[str], Path], data: str, accuracy: float) -> None:
    found = evaluated(classifier, shared(f"data/{data}"))
    assert found.accuracy > accuracy - 0.005  # int8 answers near ties in its own way on each kind of CPU


def test_plain_sentences(classifier: Classifier) -> None:
    assert evaluated(classifier, SENTENCES / "plain.tsv").accuracy > 0.85


def test_texts_without_sentiment_come_out_near_the_middle(classifier: Classifier) -> None:
    texts = (SENTENCES / "neutral.tsv").read_text("utf-8").splitlines()[1:]
    assert np.mean([abs(score - 0.5) for score in positive(classifier, texts)]) < 0.12


@pytest.mark.parametrize(("terms", "templates"), [("names", "with_name"), ("groups", "with_group")])
def test_names_and_groups_change_little(classifier: Classifier, terms: str, templates: str) -> None:
    swaps = tomllib.loads((SENTENCES / "swaps.toml").read_text("utf-8"))
    changes = []
    for template in swaps[templates]:
        scores = positive(classifier, [template.format(term) for term in swaps[terms]])
        changes += [abs(a - b) for a, b in combinations(scores, 2)]
    assert np.mean(changes) < 0.05


def test_the_card_is_in_the_bundle_and_in_the_documentation(classifier: Classifier) -> None:
    checkpoint = ROOT / "export" / "sentiment_edge_export" / "checkpoints" / "packaged" / "gru-mini"
    card = (checkpoint / "card.md").read_text("utf-8")
    assert "## Weaknesses" in card
    for place in (classifier.bundle.root / "README.md", ROOT / "docs" / "default-model.md"):
        assert place.read_text("utf-8").endswith(card), f"{place}: `make bundle` writes it"
