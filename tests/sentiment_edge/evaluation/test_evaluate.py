from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.support import Command, Page, edit_manifest
from sklearn import metrics

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE, Classifier

TEXTS = ("I loved it.", "Dreadful.", "A great film.", "It was boring and bad.", "Wonderful!", "I hated every minute.")
LABELS = ("positive", "negative", "negative", "negative", "positive", "positive")
"""Two of them are wrong."""
PUBLISHED = {"negative": (1984, 256, 112), "neutral": (246, 1372, 211), "positive": (81, 207, 2061)}
"""Rows by true and predicted class on the merged test of 6,530 sentences, as the author of electra-large-classifier-sentiment
published them (the training logs of jbeno/sentiment, run E2-ELFT-Merged)."""
PUBLISHED_TABLE = """
class             precision    recall        F1  support  ROC AUC
negative           0.858503  0.843537  0.850954     2352        -
neutral            0.747684  0.750137  0.748908     1829        -
positive           0.864513  0.877395  0.870906     2349        -
macro average      0.823567  0.823690  0.823590     6530
weighted average   0.829626  0.829556  0.829549     6530
"""
"""The same log's report, to its last digit; our layout."""


def write_rows(path: Path, header: list[str], rows: list[tuple[object, ...]]) -> Path:
    """Write a table in the format of the path's ending."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows)
        elif path.suffix == ".csv":
            csv.writer(file).writerows([header, *rows])
        else:
            file.writelines("\t".join(map(str, row)) + "\n" for row in (header, *rows))
    return path


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "labelled.tsv", ["text", "label"], [*zip(TEXTS, LABELS, strict=True)])


@pytest.fixture
def opposite(bundle_folder: Path) -> Path:
    """A bundle of the same labels that says the opposite: they stand in the other order."""
    edit_manifest(bundle_folder, labels=["positive", "negative"])
    return bundle_folder


def answer(command: Command, *arguments: str | Path) -> dict[str, Any]:
    done = command("evaluate", *arguments, "--json")
    assert done.returncode == 0, done.stderr

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    figures: dict[str, Any] = json.loads(done.stdout, parse_constant=refuse)
    return figures


def test_figures_of_the_default_model_are_scikit_learns(
    command: Command, shared: Callable[[str], Path], classifier: Classifier
) -> None:
    path = shared("data/sst2/dev.tsv")
    figures = answer(command, "--data", path)
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
    truth = np.array([int(label) for _, label in rows])
    predictions = classifier(text for text, _ in rows)
    shares = np.array([list(prediction.scores.values()) for prediction in predictions])
    predicted = shares.argmax(axis=1)
    assert figures["rows"] == 872
    assert figures["labels"] == ["negative", "positive"]
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted), abs=1e-6)
    for average in ("macro", "weighted"):
        expected = metrics.precision_recall_fscore_support(truth, predicted, average=average)[:3]
        assert list(figures[average].values()) == pytest.approx(expected, abs=1e-6)
        assert figures[f"{average}_f1"] == figures[average]["f1"]
    assert figures["roc_auc"] == pytest.approx(metrics.roc_auc_score(truth, shares[:, 1]), abs=1e-6)
    assert figures["confusion_matrix"] == metrics.confusion_matrix(truth, predicted).tolist()
    assert 0 < figures["calibration_error"] < 0.1
    assert sum(part["rows"] for part in figures["calibration"]) == 872
    assert figures["lines_per_second"] > 1
    assert figures["comparison"] is None


def test_the_published_table_is_reproduced_to_the_last_digit(command: Command, tmp_path: Path) -> None:
    """Not the published predictions, but as many rows of each kind: no figure here depends on which row is which."""
    rows = [
        (label, predicted)
        for label, counts in PUBLISHED.items()
        for predicted, count in zip(PUBLISHED, counts, strict=True)
        for _ in range(count)
    ]
    assert len(rows) == 6530
    path = write_rows(tmp_path / "predictions.csv", ["label", "prediction"], [*rows])
    done = command("evaluate", "--predictions", path, "--digits", "6")
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode()
    assert PUBLISHED_TABLE in shown
    assert "\naccuracy           0.829556\n" in shown
    assert "\nROC AUC is undefined: there are no probabilities\n" in shown
    figures = answer(command, "--predictions", path)
    assert figures["confusion_matrix"] == [*map(list, PUBLISHED.values())]
    assert (figures["roc_auc"], figures["lines_per_second"], figures["bundle"]) == (None, None, None)


def test_the_table_fits_its_width(command: Command, labelled: Path) -> None:
    done = command("evaluate", "--data", labelled)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().split("\n")
    assert lines[:3] == ["gru-mini-int8 on labelled.tsv: 6 rows", "", "accuracy           0.6667"]
    assert lines[-4:-1] == [
        "true \\ predicted  negative  positive",
        "negative                 2         1",
        "positive                 1         2",
    ]


@pytest.mark.parametrize("classes", [2, 4, 9, 40])
def test_long_names_and_many_classes_fit_too(command: Command, tmp_path: Path, classes: int) -> None:
    names = [f"\x1b[31mfeeling of a rather long name, number {index}" for index in range(classes)]
    path = write_rows(tmp_path / "a.jsonl", ["label", "prediction"], [(name, names[0]) for name in names])
    done = command("evaluate", "--predictions", path, "--digits", "10")
    assert done.returncode == 0
    assert max(map(len, done.stdout.decode().split("\n"))) <= 100
    assert b"\x1b" not in done.stdout
    assert (b"too wide" in done.stdout) == (classes == 40)


def test_one_class_has_no_area_and_says_so(command: Command, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.csv", ["text", "label"], [("good", "positive"), ("bad", "positive")])
    done = command("evaluate", "--data", path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ROC AUC is undefined: every row is labelled positive" in done.stdout
    figures = answer(command, "--data", path)
    assert figures["roc_auc"] is None
    assert figures["roc_auc_undefined"] == "every row is labelled positive"
    assert [each["roc_auc"] for each in figures["classes"]] == [None, None]


def test_three_classes_meet_a_model_of_two(command: Command, shared: Callable[[str], Path]) -> None:
    path = shared("data/tweet-sentiment/test.csv")
    done = command("evaluate", "--data", path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"neutral (1430 rows); the model's are negative, positive" in done.stderr
    assert b"--map 'neutral='" in done.stderr
    done = command("evaluate", "--data", path, "--map", "neutral=")
    assert done.stdout.startswith(b"gru-mini-int8 on test.csv: 2104 rows\n")
    assert done.stderr == b"sentiment-edge: 1430 rows left out by --map\n"


def test_another_bundle_is_compared(command: Command, labelled: Path, opposite: Path) -> None:
    figures = answer(command, "--data", labelled, "--compare", opposite)
    comparison = figures["comparison"]
    assert comparison["labels"] == figures["labels"] == ["negative", "positive"]
    assert comparison["accuracy"] == pytest.approx(1 - figures["accuracy"])
    assert comparison["roc_auc"] == pytest.approx(1 - figures["roc_auc"])
    for name, difference in comparison["differences"].items():
        assert difference == pytest.approx(comparison[name] - figures[name])
    assert comparison["mcnemar"] == {"only_first": 4, "only_second": 2, "p_value": pytest.approx(0.6875)}
    assert [flip["text"] for flip in comparison["flipped"]] == [*TEXTS]
    first = {"line": 2, "text": TEXTS[0], "label": "positive", "first": "positive", "second": "negative"}
    assert comparison["flipped"][0] == first
    shown = command("evaluate", "--data", labelled, "--compare", opposite).stdout.decode()
    assert "McNemar's test, exact: 4 rows right in the first only, 2 in the second only, p = 0.6875" in shown
    assert "\n6 texts with another label\n" in shown
    assert "\n2     positive  positive  negative  I loved it.\n" in shown


def test_the_same_bundle_has_no_differences(command: Command, labelled: Path) -> None:
    comparison = answer(command, "--data", labelled, "--compare", DEFAULT_BUNDLE)["comparison"]
    assert comparison["flipped"] == []
    assert comparison["mcnemar"]["p_value"] == 1
    assert {value for name, value in comparison["differences"].items() if name != "lines_per_second"} == {0}


def test_other_labels_cannot_be_compared(command: Command, labelled: Path, bundle_folder: Path) -> None:
    edit_manifest(bundle_folder, labels=["bad", "good"])
    done = command("evaluate", "--data", labelled, "--compare", bundle_folder)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"its labels are bad, good" in done.stderr


def test_stored_probabilities_give_area_and_calibration(command: Command, tmp_path: Path, classifier: Classifier) -> None:
    predictions = classifier(TEXTS)
    rows = [
        (label, each.label, each.scores["positive"], each.scores["negative"])
        for label, each in zip(LABELS, predictions, strict=True)
    ]
    live = answer(command, "--data", write_rows(tmp_path / "a.csv", ["text", "label"], [*zip(TEXTS, LABELS, strict=True)]))
    for ending, prefix in (("csv", ""), ("tsv", "p_"), ("jsonl", "probability_")):
        header = ["label", "prediction", f"{prefix}positive", f"{prefix}negative"]
        path = write_rows(tmp_path / f"stored.{ending}", header, [*rows])
        stored = answer(command, "--predictions", path)
        same = ("accuracy", "macro", "roc_auc", "calibration_error", "calibration", "classes", "confusion_matrix")
        assert [stored[name] for name in same] == [live[name] for name in same]


def test_probabilities_of_some_classes_are_not_used(command: Command, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.csv", ["label", "prediction", "bad"], [("bad", "bad", 0.9), ("good", "bad", 0.6)])
    done = command("evaluate", "--predictions", path)
    assert done.stderr.endswith(b"no column of probabilities for good, so the others are not read\n")
    assert b"there are no probabilities" in done.stdout


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "high", ""])
def test_what_is_no_probability_is_a_bad_row(command: Command, tmp_path: Path, value: str) -> None:
    header = ["label", "prediction", "bad", "good"]
    path = write_rows(
        tmp_path / "a.csv", header, [("bad", "bad", 0.9, 0.1), ("good", "good", 0.3, value), ("good", "bad", 1, 0)]
    )
    done = command("evaluate", "--predictions", path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"1 rows cannot be used: line 3 (no probability from 0 to 1)" in done.stderr
    assert answer(command, "--predictions", path, "--skip-bad")["rows"] == 2


def test_labels_of_stored_predictions_may_be_mapped(command: Command, tmp_path: Path) -> None:
    rows = [(0, "negative"), (1, "positive"), (1, "Negative"), (2, "positive")]
    path = write_rows(tmp_path / "a.csv", ["label", "prediction"], [*rows])
    done = command("evaluate", "--predictions", path)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"--map LABEL=PREDICTION" in done.stderr
    figures = answer(command, "--predictions", path, "--map", "0=negative,1=positive", "--map", "2=")
    assert (figures["rows"], figures["confusion_matrix"]) == (3, [[1, 0], [1, 1]])


def test_a_report_stands_alone(command: Command, labelled: Path, opposite: Path, tmp_path: Path) -> None:
    done = command("evaluate", "--data", labelled, "--compare", opposite, "--report", tmp_path / "a.html")
    assert done.returncode == 0
    page = Page((tmp_path / "a.html").read_text("utf-8"))
    assert page.foreign == []
    assert page.tags.count("svg") == 2
    assert {"0.6667", "macro average", "2352"} & {*page.cells} == {"0.6667", "macro average"}
    assert {*TEXTS} <= {*page.cells}


def test_a_report_shows_what_it_is_given_as_text(command: Command, tmp_path: Path) -> None:
    rows = [("<b>bad</b>", "<script>"), ("&amp;", "<b>bad</b>")]
    path = write_rows(tmp_path / "a.csv", ["label", "prediction"], [*rows])
    done = command("evaluate", "--predictions", path, "--report", tmp_path / "a.html")
    assert done.returncode == 0
    page = Page((tmp_path / "a.html").read_text("utf-8"))
    assert not {"script", "b", "svg"} & {*page.tags}
    assert {"<b>bad</b>", "<script>", "&amp;"} <= {*page.cells}


def test_a_report_that_cannot_be_written_is_one_line(command: Command, labelled: Path, tmp_path: Path) -> None:
    done = command("evaluate", "--data", labelled, "--report", tmp_path / "absent" / "a.html")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"no folder" in done.stderr
    assert command("evaluate", "--data", labelled, "--report", tmp_path).returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["labelled.tsv"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--data", "absent.tsv"],
        ["--data", "{data}", "--predictions", "{data}"],
        ["bundle", "--predictions", "{data}"],
        ["--predictions", "{data}", "--compare", "bundle"],
        ["--data", "{data}", "--prediction-column", "a"],
        ["--data", "{data}", "--map", "neutral"],
        ["--data", "{data}", "--map", "=positive"],
        ["--data", "{data}", "--map", "a=positive,A=negative"],
        ["--data", "{data}", "--digits", "0"],
    ],
)
def test_wrong_usage_is_status_2(command: Command, labelled: Path, arguments: list[str]) -> None:
    done = command("evaluate", *(argument.format(data=labelled) for argument in arguments))
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    names = [f"class {index}" for index in range(1000)]  # more JSON than a pipe holds
    path = write_rows(tmp_path / "a.csv", ["label", "prediction"], [(name, name) for name in names])
    program = [sys.executable, "-m", "sentiment_edge", "evaluate", "--predictions", str(path), "--json"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == b""
