"""Tables of pandas, polars and Arrow, with the answers added."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY
from helpers.support import put_file
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import Classifier, InputError, OptionError, TextError, load
from sentiment_edge_runtimes.inputs import free_names

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = ["I loved it.", "Dreadful.", "good " * 1000]
WITH_A_GAP = ["I loved it.", None, "Dreadful."]


@pytest.fixture(params=["pandas", "polars", "pyarrow"])
def library(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


def make(library: Any, **columns: list[Any]) -> Any:
    return (library.table if library.__name__ == "pyarrow" else library.DataFrame)(columns)


def rows(table: Any) -> list[dict[str, Any]]:
    """Return a table's rows, None for what is missing."""
    if hasattr(table, "to_pylist"):
        return list(table.to_pylist())
    records = table.to_dict("records") if hasattr(table, "assign") else table.to_dicts()
    return [{name: None if value != value else value for name, value in row.items()} for row in records]  # noqa: PLR0124 - NaN


def test_a_table_gets_three_columns_and_stays_of_its_kind(classifier: Classifier, library: Any) -> None:
    table = make(library, id=[7, 8, 9], text=TEXTS)
    before = rows(table)
    answered = classifier.table(table)
    assert type(answered) is type(table)
    assert rows(answered) == [
        {"id": number, "text": text, "label": answer.label, "score": answer.score, "truncated": answer.truncated}
        for number, text, answer in zip([7, 8, 9], TEXTS, classifier(TEXTS), strict=True)
    ]
    assert [row["truncated"] for row in rows(answered)] == [False, False, True]
    assert rows(table) == before


def test_a_row_without_a_text_has_no_label(classifier: Classifier, library: Any) -> None:
    answered = rows(classifier.table(make(library, review=WITH_A_GAP), column="review"))
    assert [row["label"] for row in answered] == ["positive", None, "negative"]
    assert [row["score"] is None for row in answered] == [False, True, False]
    assert [row["truncated"] for row in answered] == [False, False, False]
    nothing = rows(classifier.table(make(library, text=[None, None])))
    assert [(row["label"], row["score"]) for row in nothing] == [(None, None)] * 2


def test_names_that_are_taken_get_predicted_before_them(classifier: Classifier, library: Any) -> None:
    answered = classifier.table(make(library, label=[1, 2, 3], text=TEXTS, predicted_label=[4, 5, 6], truncated=[0, 0, 0]))
    assert [*rows(answered)[0]] == [
        "label",
        "text",
        "predicted_label",
        "truncated",
        "predicted_predicted_label",
        "score",
        "predicted_truncated",
    ]
    assert [row["label"] for row in rows(answered)] == [1, 2, 3]


@given(st.sets(st.text("a_", max_size=3)), st.lists(st.text("a_", max_size=3), unique=True))
def test_new_names_are_free_and_differ(taken: set[str], wanted: list[str]) -> None:
    free = free_names(wanted, taken)
    assert not taken & {*free}
    assert all(new.endswith(name) for new, name in zip(free, wanted, strict=True))


def test_a_column_that_is_not_there_is_refused_with_those_that_are(classifier: Classifier, library: Any) -> None:
    with pytest.raises(OptionError, match="`column`: 0 columns of this table are named 'text'; it has id, review"):
        classifier.table(make(library, id=[1], review=["a"]))


def test_a_column_of_numbers_is_refused(classifier: Classifier, library: Any) -> None:
    with pytest.raises(InputError, match=r"texts\[0\] must be a string, not int"):
        classifier.table(make(library, text=[1, 2]))


def test_a_table_without_rows(classifier: Classifier, library: Any) -> None:
    answered = classifier.table(make(library, text=[]))
    assert len(rows(answered)) == 0
    names = answered.column_names if hasattr(answered, "column_names") else answered.columns
    assert [*names] == ["text", "label", "score", "truncated"]


def test_a_text_that_cannot_be_answered_is_named_by_its_row(bundle_folder: Path, library: Any) -> None:
    tokenizer = json.loads((bundle_folder / "tokenizer.json").read_text("utf-8"))
    put_file(bundle_folder, "tokenizer.json", json.dumps(tokenizer | {"normalizer": CATASTROPHIC}).encode())
    unlucky, table = load(bundle_folder), make(library, text=[None, "I loved it.", UNLUCKY])
    with pytest.raises(TextError, match=r"^texts\[2\]: the tokenizer failed on this text") as failure:
        unlucky.table(table)
    assert failure.value.position == 2
    assert [row["label"] for row in rows(unlucky.table(table, on_error="return"))] == [None, "positive", None]


def test_many_rows_with_gaps_keep_their_places(classifier: Classifier, library: Any) -> None:
    texts = [None if row % 7 == 0 else ("I loved it." if row % 3 else "Dreadful.") for row in range(2500)]
    labels = [row["label"] for row in rows(classifier.table(make(library, text=texts)))]
    expected = {None: None, "I loved it.": "positive", "Dreadful.": "negative"}
    assert labels == [expected[text] for text in texts]


def test_pandas_keeps_its_index(classifier: Classifier) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"text": TEXTS}, index=["c", "a", "a"])
    answered = classifier.table(table)
    assert [*answered.index] == ["c", "a", "a"]
    assert [*answered["label"]] == [answer.label for answer in classifier(TEXTS)]
    with pytest.raises(OptionError, match="`column`: 2 columns of this table are named 'text'"):
        classifier.table(pandas.concat([table.reset_index(drop=True)] * 2, axis=1))


def test_arrow_keeps_its_metadata(classifier: Classifier) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"text": TEXTS}).replace_schema_metadata({"from": "a lake"})
    assert classifier.table(table).schema.metadata == {b"from": b"a lake"}
    (batch,) = table.to_batches()
    assert rows(classifier.table(batch)) == rows(classifier.table(table))


class Foreign:
    """A table of a library that is not known here, which speaks Arrow's interface."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def test_a_table_by_arrows_interface_becomes_one_of_arrow(classifier: Classifier) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"text": TEXTS})
    answered: Any = classifier.table(Foreign(table))
    assert answered == classifier.table(table)
    with pytest.raises(InputError, match=r"not a table that table\(\) knows \(Foreign\)"):
        classifier.table(Foreign(table["text"]))


def test_a_table_by_arrows_interface_needs_arrow(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"^a table by Arrow's interface \(Foreign\) needs pyarrow: pip install pyarrow$"):
        classifier.table(Foreign(None))


@pytest.mark.parametrize("other", [None, "text", ["a"], {"text": ["a"]}, 3])
def test_what_is_no_table_is_refused(classifier: Classifier, other: Any) -> None:
    with pytest.raises(
        InputError, match=r"not a table that table\(\) knows \(\w+\): pass a table of pandas, polars or pyarrow"
    ):
        classifier.table(other)


def test_what_is_no_table_of_polars_is_refused(classifier: Classifier) -> None:
    polars = pytest.importorskip("polars")
    with pytest.raises(InputError, match=r"LazyFrame\): call its collect\(\) first"):
        classifier.table(polars.LazyFrame({"text": TEXTS}))
    with pytest.raises(InputError, match=r"not a table that table\(\) knows \(Series\)"):
        classifier.table(polars.Series("text", TEXTS))


def test_no_library_of_tables_is_imported_for_texts() -> None:
    script = (
        "import sys; from sentiment_edge import load; load()(['a', 'b'])\n"
        "assert not {'pandas', 'polars', 'pyarrow', 'narwhals', 'asyncio'} & {*sys.modules}, sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
