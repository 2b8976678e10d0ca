"""Arrow columns, labelled as the classifier labels texts; and the recipes of the documentation, run as they stand there."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY
from helpers.support import put_file
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_edge import InputError, OptionError, TextError, load

pa = pytest.importorskip("pyarrow")
pytest.importorskip("sentiment_edge.bulk.arrow")

import pyarrow.parquet as pq  # noqa: E402

from sentiment_edge.bulk.arrow import answer_type, label  # noqa: E402

_PAGE = Path(__file__).parents[3] / "docs" / "bulk.md"
_LIBRARIES = {"polars": "polars", "DuckDB": "duckdb", "pandas": "pandas", "Daft": "daft"}
_TEXTS = ["A warm, funny film.", None, "It drags. \N{SLEEPING FACE}", "", " \t\n", "so " * 3000, "A warm, funny film."]


@pytest.fixture(scope="module")
def classifier() -> Any:
    return load()


def _expected(classifier: Any, texts: list[str | None]) -> list[dict[str, Any] | None]:
    answers = iter(classifier([text for text in texts if text and text.strip()]))
    return [next(answers).to_dict() | {"error": None} if text and text.strip() else None for text in texts]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())], ids=str
)
def test_every_kind_of_strings_is_labelled_as_texts_are(classifier: Any, kind: Any) -> None:
    column = pa.array(_TEXTS, kind)
    answers = label(classifier, column)
    assert answers.type == answer_type(classifier.labels)
    assert answers.to_pylist() == _expected(classifier, _TEXTS)
    answers.validate(full=True)


@settings(max_examples=25, deadline=None)
@given(chunks=st.lists(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=30), max_size=5), max_size=4))
def test_chunks_stay_chunks_and_rows_keep_their_places(classifier: Any, chunks: list[list[str | None]]) -> None:
    answers = label(classifier, pa.chunked_array(chunks, pa.string()))
    assert [len(chunk) for chunk in answers.chunks] == [len(chunk) for chunk in chunks]
    found = answers.to_pylist()
    wanted = _expected(classifier, [text for chunk in chunks for text in chunk])
    assert [each and each["label"] for each in found] == [each and each["label"] for each in wanted]
    assert [each and each["score"] for each in found] == pytest.approx([each and each["score"] for each in wanted], abs=1e-5)


def test_a_slice_is_labelled_and_not_the_rest_of_its_buffer(classifier: Any) -> None:
    whole = label(classifier, pa.array(_TEXTS))
    assert label(classifier, pa.array(_TEXTS)[2:5]).equals(whole[2:5])


def test_nulls_alone_and_nothing_have_the_same_type(classifier: Any) -> None:
    assert label(classifier, pa.nulls(3)).to_pylist() == [None, None, None]
    for empty in (pa.array([], pa.string()), pa.chunked_array([], pa.string()), pa.nulls(0)):
        assert label(classifier, empty).type == answer_type(classifier.labels)
        assert len(label(classifier, empty)) == 0


def test_more_rows_than_are_labelled_at_once(classifier: Any) -> None:
    texts = [f"{'not ' * (number % 2)}a good film" if number % 5 else None for number in range(9000)]
    answers = label(classifier, pa.array(texts))
    assert answers.to_pylist()[8995:] == _expected(classifier, texts)[8995:]
    assert answers.null_count == len(texts) // 5


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([1]), "a column of int64, not of strings"),
        (pa.array([b"x"]), "a column of binary, not of strings"),
        (pa.array([1]).dictionary_encode(), "not of strings"),
        (["x"], r"no Arrow array \(list\): pass one"),
        (pa.table({"text": ["x"]}), "pass the column that holds the texts"),
    ],
    ids=["numbers", "bytes", "dictionary", "list", "table"],
)
def test_what_is_no_column_of_texts_is_refused(classifier: Any, column: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        label(classifier, column)


def test_an_unknown_way_to_treat_errors_is_refused(classifier: Any) -> None:
    with pytest.raises(OptionError, match="on_error"):
        label(classifier, pa.array(["x"]), on_error="skip")  # type: ignore[arg-type]


@pytest.mark.parametrize("on_error", ["raise", "return"])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_a_text_that_is_not_utf_8_is_named_by_its_row(classifier: Any, kind: Any, on_error: Any) -> None:
    wrong = pa.array([None, b"fine", b"\xff\xfe"]).cast(pa.large_binary() if kind == pa.large_string() else pa.binary())
    strings = wrong.view(kind) if not pa.types.is_dictionary(kind) else wrong.view(pa.string()).dictionary_encode()
    column = pa.chunked_array([pa.array(["good"]).cast(kind), strings])
    with pytest.raises(InputError, match=r"^texts\[3\]: this text is not UTF-8; read its source in the right encoding"):
        label(classifier, column, on_error=on_error)


def test_a_text_that_fails_is_named_by_its_row_or_has_its_error(bundle_folder: Path) -> None:
    tokenizer = json.loads((bundle_folder / "tokenizer.json").read_text("utf-8"))
    put_file(bundle_folder, "tokenizer.json", json.dumps(tokenizer | {"normalizer": CATASTROPHIC}).encode())
    unlucky = load(bundle_folder)
    column = pa.chunked_array([["good", None], ["bad", UNLUCKY, "fine"]])
    with pytest.raises(TextError) as raised:
        label(unlucky, column)
    assert raised.value.position == 3
    answers = label(unlucky, column, on_error="return").to_pylist()
    assert answers[3]["label"] is None and answers[3]["scores"] is None and answers[3]["truncated"] is False
    assert "tokenizer failed" in answers[3]["error"]
    assert [each and each["error"] for each in answers if each is not answers[3]] == [None] * 4
    assert answers[4]["label"] in unlucky.labels


@pytest.mark.parametrize("library", _LIBRARIES)
def test_the_recipe_runs(classifier: Any, tmp_path: Path, library: str) -> None:
    if find_spec(_LIBRARIES[library]) is None:
        pytest.skip(f"{library} is not installed")
    section = _PAGE.read_text(encoding="utf-8").partition(f"\n## {library}\n")[2].partition("\n## ")[0]
    (recipe,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    pq.write_table(pa.table({"id": [*range(len(_TEXTS))], "text": _TEXTS}), tmp_path / "reviews.parquet")
    done = subprocess.run([sys.executable, "-c", recipe], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (written,) = [*tmp_path.glob("labelled*.parquet"), *tmp_path.glob("labelled/*.parquet")]
    rows = sorted(pq.read_table(written).to_pylist(), key=lambda row: row["id"])
    labels = [(row.get("sentiment") or row)["label"] if "label" in row or row["sentiment"] else None for row in rows]
    assert labels == [answer and answer["label"] for answer in _expected(classifier, _TEXTS)]
    assert [row["text"] for row in rows] == _TEXTS


def test_the_first_example_runs() -> None:
    (example, *_) = re.findall(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "positive"
