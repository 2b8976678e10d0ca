"""The data's labels among the model's: by name, class id, short name or the user's mapping."""

from __future__ import annotations

import pytest
from helpers.remarks import Remarks

from sentiment_edge import InputError
from sentiment_edge.data.labels import match_labels, parse_map
from sentiment_edge_runtimes.errors import OptionError


@pytest.mark.parametrize(
    ("found", "labels", "expected"),
    [
        (["negative", "positive"], ["negative", "positive"], [0, 1]),
        (["POSITIVE", "Negative"], ["negative", "positive"], [1, 0]),
        (["0", "1"], ["negative", "positive"], [0, 1]),
        (["1.0", "0.0"], ["negative", "positive"], [1, 0]),
        (["1", "2"], ["2", "1"], [1, 0]),
        (["pos", "NEG"], ["Negative", "Positive"], [1, 0]),
        (["positive", "neutral"], ["neg", "neu", "pos"], [2, 1]),
    ],
)
def test_labels_are_found_by_name_id_or_short_name(found: list[str], labels: list[str], expected: list[int]) -> None:
    remarks = Remarks()
    assert match_labels(dict.fromkeys(found, 1), labels, {}, remarks) == dict(zip(found, expected, strict=True))
    by_name = {*map(str.casefold, found)} <= {*map(str.casefold, labels)}
    assert len(remarks.heard) == (not by_name)


@pytest.mark.parametrize("found", ["-1", "2", "0.5", "1e0", "neutral", "positive!", "9" * 5000, "²", "two\nlines"])
def test_other_labels_are_refused(found: str) -> None:
    with pytest.raises(InputError, match="`mapping`") as raised:
        match_labels({found: 3, "positive": 2}, ["negative", "positive"], {}, Remarks())
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    ("found", "labels", "mapping"),
    [
        (["1", "2"], ["negative", "positive"], {}),
        (["2"], ["negative", "positive"], {}),
        (["1.0", "2.0"], ["negative", "positive"], {}),
        (["1", "2"], ["negative", "positive"], {"2": "positive"}),
        (["5", "1", "2", "4"], ["awful", "bad", "fair", "good", "great"], {}),
    ],
)
def test_labels_that_count_from_one_are_refused(found: list[str], labels: list[str], mapping: dict[str, str]) -> None:
    with pytest.raises(InputError, match=rf"count from 1, .* by `mapping`, such as '1={labels[0]},2={labels[1]}") as raised:
        match_labels(dict.fromkeys(found, 1), labels, mapping, Remarks())
    advice = str(raised.value).split("'")[1]
    whole = match_labels({label.removesuffix(".0"): 1 for label in found}, labels, parse_map([advice]), Remarks())
    assert whole == {label.removesuffix(".0"): int(float(label)) - 1 for label in found}


@pytest.mark.parametrize("found", [["0", "1", "2"], ["1", "2"], ["1"], ["0", "2"]])
def test_labels_that_may_be_ids_are_read_so(found: list[str]) -> None:
    labels = ["negative", "neutral", "positive"]
    assert match_labels(dict.fromkeys(found, 1), labels, {}, Remarks()) == {label: int(label) for label in found}


def test_a_short_name_of_two_classes_is_refused() -> None:
    with pytest.raises(InputError, match="pos"):
        match_labels({"pos": 1}, ["positive", "Positive", "negative"], {}, Remarks())


def test_a_map_goes_before_names() -> None:
    mapping = parse_map(["Neutral=, mixed = 0", "a=b=positive", "positive=negative"])
    assert mapping == {"neutral": "", "mixed": "0", "a=b": "positive", "positive": "negative"}
    found = dict.fromkeys(("neutral", "Mixed", "a=b", "positive", "negative"), 1)
    expected = {"neutral": None, "Mixed": 0, "a=b": 1, "positive": 0, "negative": 0}
    assert match_labels(found, ["negative", "positive"], mapping, Remarks()) == expected


def test_a_map_to_no_label_is_refused() -> None:
    with pytest.raises(InputError, match="labels are negative, positive"):
        match_labels({"a": 1}, ["negative", "positive"], {"b": "good"}, Remarks())


@pytest.mark.parametrize("entry", ["neutral", "=positive", "a=positive,A=negative"])
def test_a_map_that_cannot_be_read_is_wrong_usage(entry: str) -> None:
    with pytest.raises(OptionError) as raised:
        parse_map([entry])
    assert raised.value.option == "mapping"
