"""Several texts, in whatever holds them; what holds something else is refused with the way out."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import Classifier, InputError
from sentiment_edge_runtimes.inputs import as_list

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = ["I loved it.", "", "Dreadful."]


def refused(classifier: Classifier, texts: Any, problem: str) -> None:
    for call in (classifier, classifier.logits, lambda texts: list(classifier.stream(texts))):
        with pytest.raises(InputError, match=problem) as failure:
            call(texts)
        assert "\n" not in str(failure.value)


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def library(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


COLUMNS: dict[str, Callable[[Any, list[Any]], list[Any]]] = {
    "pandas": lambda pd, rows: [
        pd.Series(rows, index=range(len(rows), 0, -1)),
        pd.Series(rows, dtype=object),
        pd.Series(rows, dtype="string"),
        pd.Series(rows, dtype="category"),
        pd.Index(rows),
    ],
    "polars": lambda pl, rows: [pl.Series(rows, dtype=pl.String), pl.Series(rows, dtype=pl.Categorical)],
    "pyarrow": lambda pa, rows: [
        pa.array(rows, pa.string()),
        pa.array(rows, pa.large_string()),
        pa.chunked_array([rows[:1], rows[1:]], pa.string()),
        pa.array(rows, pa.string()).dictionary_encode(),
    ],
}


def test_a_column_of_a_table_is_texts(classifier: Classifier, library: Any) -> None:
    expected = classifier(TEXTS)
    for column in COLUMNS[library.__name__](library, TEXTS):
        assert classifier(column) == list(classifier.stream(column)) == expected
        assert classifier.logits(column).shape == (3, 2)


def test_a_missing_text_is_named_by_its_position(classifier: Classifier, library: Any) -> None:
    for column in COLUMNS[library.__name__](library, ["a", None, "b"]):
        refused(classifier, column, r'^texts\[1\] is missing \((None|nan|<NA>)\): leave such rows out, or fill them with ""$')


@pytest.mark.parametrize("missing", [None, float("nan"), np.float64("nan"), np.float32("nan")])
def test_so_is_one_in_a_list(classifier: Classifier, missing: Any) -> None:
    for texts in (["a", missing], iter(["a", missing]), np.array(["a", missing], dtype=object)):
        with pytest.raises(InputError, match=r"^texts\[1\] is missing"):
            classifier(texts)


def test_a_table_is_refused(classifier: Classifier, library: Any) -> None:
    make = library.table if library.__name__ == "pyarrow" else library.DataFrame
    refused(classifier, make({"text": TEXTS}), r'^texts are a table \(\w+\): pass one column, such as `df\["text"\]`, or')


@pytest.mark.parametrize("kind", [dict, lambda rows: {"text": rows}.items().mapping])
def test_a_mapping_is_refused(classifier: Classifier, kind: Callable[[Any], Any]) -> None:
    refused(classifier, kind([("text", "I loved it.")]), r"^texts are a mapping \(\w+\): pass those of one key")


@pytest.mark.parametrize("shape", [(3, 1), (1, 3), (1, 1, 3), ()])
def test_an_array_of_other_than_one_dimension_is_refused(classifier: Classifier, shape: tuple[int, ...]) -> None:
    texts = np.array(TEXTS).reshape(shape) if shape else np.array("I loved it.")
    refused(classifier, texts, f"^texts are an array of {len(shape)} dimensions")


@pytest.mark.parametrize("data", [b"I loved it.", bytearray(b"bad"), memoryview(b"bad")])
def test_bytes_are_refused(classifier: Classifier, data: Any) -> None:
    refused(classifier, data, r"^texts are \w+: decode them first")


@pytest.mark.parametrize("items", [{3}, array("i", [3]), [["a"]], [("a", "b")], [{"text": "a"}], [b"a"], np.array([b"a"])])
def test_items_that_are_no_texts_are_named(classifier: Classifier, items: Any) -> None:
    refused(classifier, items, r"^texts\[0\] must be a string, not \w+: ")
    with pytest.raises(InputError, match=r"^texts\[0\] must be a string"):
        classifier(iter(items))


@given(st.lists(st.text()))
def test_texts_stay_as_they_are(texts: list[str]) -> None:
    assert as_list(texts) == as_list(tuple(texts)) == as_list(iter(texts)) == texts
    assert as_list(np.array(texts, dtype=object)) == texts
    stripped = [text.rstrip("\0") for text in texts]  # numpy pads with NUL
    assert as_list(np.array(stripped, dtype=str)) == stripped
    assert as_list(dict.fromkeys(texts).keys()) == list(dict.fromkeys(texts))
