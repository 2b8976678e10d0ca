"""Tables that Python's own modules and pyarrow write come out labelled, with everything else as it was."""

from __future__ import annotations

import bz2
import csv
import datetime as dt
import gzip
import io
import json
import lzma
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from helpers.remarks import Remarks
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_edge.labelling.output.choice import open_target
from sentiment_edge.labelling.request import LabellingRequest
from sentiment_edge.labelling.run import label_files
from sentiment_edge_runtimes.classifier import Classifier

COLUMNS = ["id", "text", "note"]
ADDED = ["label", "score", "scores", "truncated"]
ENCODINGS = {
    "utf-8": None,
    "utf-8-sig": None,
    "utf-16": None,
    "utf-16-be": "utf-16-be",
    "utf-32": None,
    "cp1252": "cp1252",
    "gb18030": "gb18030",
}
"""By the encoding that a file is written in, the one that is named; the others are found out."""
ENDINGS = ["", ".gz", ".bz2", ".xz", ".zst"]
PACKERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
TEXTS = st.sampled_from(["I loved it.", "Dreadful.", "", " \t", "It was fine; 好.", "never, ever " * 200])
SOME = settings(max_examples=40)
FEW = settings(max_examples=10)


def characters(encoding: str) -> st.SearchStrategy[str]:
    return st.characters(codec="cp1252" if encoding == "cp1252" else "utf-8", exclude_characters="\0")


def cells(encoding: str = "utf-8") -> st.SearchStrategy[str]:
    texts = TEXTS.filter(lambda text: encoding != "cp1252" or "好" not in text)
    return st.text(characters(encoding), max_size=12) | texts


def packed(ending: str, contents: bytes) -> bytes:
    if ending == ".zst":
        return pytest.importorskip("zstandard", reason="needs the extra test").compress(contents)  # type: ignore[no-any-return]
    return PACKERS[ending](contents)


class Labelling:
    """Labels files of a folder, three rows at a time, so that few rows are several times."""

    def __init__(self, classifier: Classifier, folder: Path) -> None:
        self.classifier = classifier
        self.folder = folder
        self.remarks: list[str] = []

    def __call__(self, name: str, contents: bytes, form: str = "", **request: Any) -> bytes:
        source, target, remarks = self.folder / name, self.folder / "labelled", Remarks()
        source.write_bytes(contents)
        if form:
            request["output_format"] = form
        opened = partial(open_target, target=target, sources=[source])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sentiment_edge.labelling.waiting._ROWS", 3)
            label_files(self.classifier, [source], LabellingRequest(**request), opened, remarks)
        self.remarks = remarks.heard
        assert {path.name for path in self.folder.iterdir()} == {name, target.name}
        source.unlink()
        return target.read_bytes()

    def entries(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return what jsonl should say of each text."""
        answers = iter(self.classifier([text for text in texts if text.strip()]))
        blank: dict[str, Any] = {"label": None, "score": None, "scores": {}, "truncated": False}
        return [next(answers).to_dict() if text.strip() else blank for text in texts]

    def cells(self, texts: Sequence[str]) -> list[list[str]]:
        """Return what csv should say of each text."""
        return [[each["label"] or "", f"{each['score']:.4f}" if each["label"] else ""] for each in self.entries(texts)]


@pytest.fixture(scope="module")
def label(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Labelling:
    return Labelling(classifier, tmp_path_factory.mktemp("tables"))


def parsed(output: bytes, separator: str, **options: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(output.decode("utf-8-sig"), newline=""), delimiter=separator, strict=True, **options))


def written(rows: Sequence[Sequence[str]], separator: str, end: str = "\r\n", quoting: Any = csv.QUOTE_ALL) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return file.getvalue()


@SOME
@given(
    st.data(),
    st.sampled_from([*ENCODINGS]),
    st.sampled_from(ENDINGS),
    st.sampled_from([",", ";", "|", "\t", "tsv"]),
    st.sampled_from([("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]),
)
def test_csv_and_quoted_tsv(
    label: Labelling, data: st.DataObject, encoding: str, ending: str, kind: str, style: tuple[str, Any]
) -> None:
    cell = cells(encoding)
    rows = data.draw(st.lists(st.tuples(cell, cell, cell).map(list), max_size=8))
    separator, form = ("\t", "tsv") if kind == "tsv" else (kind, "csv")
    contents = written([COLUMNS, *rows], separator, *style).encode(encoding)
    output = label(f"a.{form}{ending}", packed(ending, contents), encoding=ENCODINGS[encoding])
    answers = label.cells([row[1] for row in rows])
    assert parsed(output, separator) == [[*COLUMNS, "label", "score"], *map(list.__add__, rows, answers)]
    assert output.startswith(b"\xef\xbb\xbf") == (encoding != "utf-8")
    header = output.removeprefix(b"\xef\xbb\xbf").removeprefix(separator.join([*COLUMNS, "label", "score"]).encode())
    assert header.startswith(style[0].encode())
    blank = sum(not row[1].strip() for row in rows)
    assert any(f"{blank} rows without a text got no label" in remark for remark in label.remarks) == (blank > 0)


@SOME
@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\t\r\n")), min_size=3, max_size=3), max_size=8)
)
def test_tsv_in_which_a_quotation_mark_is_an_ordinary_character(label: Labelling, rows: list[list[str]]) -> None:
    rows = [['5" disk', 'the "best', '"'], *rows]
    contents = "".join("\t".join(row) + "\n" for row in [COLUMNS, *rows])
    output = label("a.tsv", contents.encode())
    answers = label.cells([row[1] for row in rows])
    assert output.decode() == "".join(
        "\t".join(row) + "\n" for row in [[*COLUMNS, "label", "score"], *map(list.__add__, rows, answers)]
    )


@FEW
@given(st.sampled_from(",;|\t"), st.lists(st.sampled_from(["", "fine", 'a "b"', "x\ny"]), min_size=2, max_size=6))
def test_excels_line_for_the_separator_is_kept(label: Labelling, separator: str, notes: list[str]) -> None:
    rows = [[str(number), "Dreadful.", note] for number, note in enumerate(notes)]
    output = label("a.csv", f"\ufeffsep={separator}\r\n{written([COLUMNS, *rows], separator)}".encode())
    first, _, rest = output.partition(b"\r\n")
    assert first.decode() == f"\ufeffsep={separator}"
    assert parsed(rest, separator) == [[*COLUMNS, "label", "score"], *(row + label.cells(["Dreadful."])[0] for row in rows)]


@FEW
@given(
    st.lists(
        st.tuples(st.integers(), st.sampled_from(["I never saw so fine a film.", 'Dull, "slow", and\nfar too long!'])),
        min_size=3,
    )
)
def test_csv_without_a_header_gets_one(label: Labelling, pairs: list[tuple[int, str]]) -> None:
    rows = [[str(number), text] for number, text in pairs]
    output = label("a.csv", written(rows, ",").encode())
    answers = label.cells([text for _, text in pairs])
    assert parsed(output, ",") == [["column_1", "column_2", "label", "score"], *map(list.__add__, rows, answers)]
    assert [remark.partition(": ")[2] for remark in label.remarks] == [
        "no header, as its first line is data; its columns are column_1, column_2",
        "text taken from column_2; choose another by `text_column`",
    ]
    assert label("a.csv", written(rows, ",").encode(), text_column="column_2") == output


NUMBERS = ["1.50", "1e3", "-0", "12345678901234567890123", "0.1000000000000000055"]
RAW = st.sampled_from([*NUMBERS, "null", "true", '"\\u00e9\\/"', "[1,  2 ]", '{ "a":{}}'])
SPACE = st.sampled_from(["", " ", "\t", "  "])


@st.composite
def raw_objects(draw: st.DrawFn, space: st.SearchStrategy[str]) -> tuple[str, str]:
    """Return the text of an object as some program may write it, and that of its entry `text`."""
    text = draw(cells() | st.text(st.characters(exclude_categories=())))
    halves = any("\ud800" <= character <= "\udfff" for character in text)
    entries = [("id", draw(RAW)), ("text", json.dumps(text, ensure_ascii=halves or draw(st.booleans()))), ("more", draw(RAW))]
    pairs = [f'{draw(space)}"{name}"{draw(space)}:{draw(space)}{value}{draw(space)}' for name, value in entries]
    return f"{{{','.join(pairs)}}}", text


def in_ascii(raw: str) -> tuple[str, str]:
    plain = raw.encode("ascii", "replace").decode()
    return plain, json.loads(plain)["text"]


def pieces(array: str) -> Iterator[str]:
    """Yield the text of each object of an array."""
    at = len("[\n")
    while array[at:] not in {"", "]\n"}:
        _, end = json.JSONDecoder().raw_decode(array, at)
        yield array[at:end]
        at = end + len(",\n") if array[end] == "," else end + 1


def check_objects(label: Labelling, output: list[str], given_objects: list[tuple[str, str]]) -> None:
    for line, (raw, _), answer in zip(output, given_objects, label.entries([text for _, text in given_objects]), strict=True):
        head, rest = raw[:-1].rstrip(), line[len(raw[:-1].rstrip()) :]
        assert line.startswith(head)
        assert rest.startswith(", ")
        assert json.loads("{" + rest[2:]) == answer


@SOME
@given(
    st.lists(raw_objects(SPACE), min_size=1, max_size=8), st.sampled_from([*ENCODINGS]), st.sampled_from(ENDINGS), st.booleans()
)
def test_jsonl_keeps_the_text_of_each_object(
    label: Labelling, objects: list[tuple[str, str]], encoding: str, ending: str, crlf: bool
) -> None:
    if encoding == "cp1252":
        objects = [in_ascii(raw) for raw, _ in objects]
    contents = "".join(raw + ("\r\n" if crlf else "\n") for raw, _ in objects)
    output = label(f"a.jsonl{ending}", packed(ending, contents.encode(encoding)), encoding=ENCODINGS[encoding])
    assert output.endswith(b"}\n")
    check_objects(label, output.decode().split("\n")[:-1], objects)


@SOME
@given(
    st.lists(raw_objects(SPACE | st.just("\n")), min_size=1, max_size=8),
    st.sampled_from([*ENCODINGS]),
    st.sampled_from(ENDINGS),
    st.booleans(),
)
def test_json_keeps_the_text_of_each_object(
    label: Labelling, objects: list[tuple[str, str]], encoding: str, ending: str, array: bool
) -> None:
    if encoding == "cp1252":
        objects = [in_ascii(raw) for raw, _ in objects]
    contents = f"[{','.join(raw for raw, _ in objects)}]" if array else "\n".join(raw for raw, _ in objects)
    output = label(
        f"a.json{ending}", packed(ending, contents.encode(encoding)), encoding=ENCODINGS[encoding], input_format="json"
    ).decode()
    assert [each["text"] for each in json.loads(output)] == [text for _, text in objects]
    assert output.startswith("[\n")
    assert output.endswith("\n]\n")
    check_objects(label, [*pieces(output)], objects)


@FEW
@given(st.sets(st.sampled_from(["label", "SCORE", "scores", "Truncated", "predicted_label", "predicted_score"]), max_size=6))
def test_names_that_are_taken(label: Labelling, others: set[str]) -> None:
    columns = ["text", *sorted(others)]
    lowered, names = {name.lower() for name in columns}, []
    for name in ADDED:
        free = name
        while free in lowered:
            free = f"predicted_{free}"
        names.append(free)
    row = dict.fromkeys(columns, "Dreadful.")
    for form, room in (("csv", 2), ("tsv", 2), ("jsonl", 4), ("json", 4)):
        separator = "\t" if form == "tsv" else ","
        source = json.dumps(row) if room == 4 else written([columns, [*row.values()]], separator)
        output = label(f"a.{form}", source.encode()).decode()
        assert (parsed(output.encode(), separator)[0] if room == 2 else [*json.loads(output.strip("[]\n"))]) == columns + names[
            :room
        ]
        changed = [f"{new} instead of {old}" for new, old in zip(names[:room], ADDED, strict=False) if new != old]
        assert [remark for remark in label.remarks if "instead of" in remark] == [
            f"columns of that name are there already, so the new ones are named {', '.join(changed)}"
        ] * bool(changed)


def arrow_types() -> dict[str, tuple[Any, st.SearchStrategy[Any]]]:
    pa = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    word, number = st.text(st.characters(codec="utf-8"), max_size=5), st.integers(-9, 9)
    times = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001 - bounds
    nested = st.fixed_dictionaries({"a": number, "b": st.lists(st.floats(width=32, allow_nan=False), max_size=3)})
    return {
        "text": (pa.string(), cells()),
        "kind": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "b"])),
        "when": (pa.timestamp("us", tz="Europe/Berlin"), times),
        "day": (pa.date32(), st.dates()),
        "tags": (pa.list_(pa.string()), st.lists(word, max_size=3)),
        "nothing": (pa.null(), st.none()),
        "bytes": (pa.binary(), st.binary(max_size=5)),
        "price": (pa.decimal128(9, 2), st.decimals(-999, 999, places=2)),
        "nested": (pa.struct([("a", pa.int16()), ("b", pa.list_(pa.float32()))]), nested),
        "map": (
            pa.map_(pa.string(), pa.int64()),
            st.dictionaries(word, number, max_size=2).map(lambda found: [*found.items()]),
        ),
        "large": (pa.large_string(), word),
        "flag": (pa.bool_(), st.booleans()),
    }


@SOME
@given(st.data(), st.sampled_from(ENDINGS), st.sampled_from([None, "binary", "large_string", "dictionary"]))
def test_parquet_keeps_types_and_schema(label: Labelling, data: st.DataObject, ending: str, kind: str | None) -> None:
    kinds, pa = arrow_types(), pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    names = ["text", *data.draw(st.sets(st.sampled_from([*kinds][1:])).map(sorted))]
    rows = data.draw(st.lists(st.fixed_dictionaries({name: st.none() | kinds[name][1] for name in names}), max_size=12))
    fields = [pa.field(name, kinds[name][0], metadata={"unit": "none"}) for name in names]
    if kind is not None:
        fields[0] = pa.field("text", pa.dictionary(pa.int32(), pa.string()) if kind == "dictionary" else getattr(pa, kind)())
    given_rows = [row | {"text": row["text"] and row["text"].encode()} for row in rows] if kind == "binary" else rows
    whole = pa.Table.from_pylist(given_rows, schema=pa.schema(fields, metadata={"made by": "us"}))
    file = io.BytesIO()
    pq.write_table(whole, file, row_group_size=5)
    whole = pq.read_table(io.BytesIO(file.getvalue()))  # as pyarrow gives it back
    output = pq.read_table(io.BytesIO(label(f"a.parquet{ending}", packed(ending, file.getvalue()))))
    assert output.column_names == names + ADDED
    assert output.select(names).schema.equals(whole.schema, check_metadata=True)
    assert output.select(names).equals(whole)
    scores = pa.struct([(name, pa.float64()) for name in label.classifier.labels])
    assert [output.schema.field(name).type for name in ADDED] == [pa.string(), pa.float64(), scores, pa.bool_()]
    answers = [answer | {"scores": answer["scores"] or None} for answer in label.entries([row["text"] or "" for row in rows])]
    assert output.select(ADDED).to_pylist() == answers


FORMATS = ["csv", "tsv", "jsonl", "json", "parquet", "lines"]


def table_as(form: str, rows: list[dict[str, str]]) -> bytes:
    if form == "lines":
        return "".join(row["text"] + "\n" for row in rows).encode()
    if form == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if form == "json":
        return json.dumps(rows, indent=1).encode()
    if form == "parquet":
        pa, pq, file = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet"), io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, pa.schema([(column, pa.string()) for column in COLUMNS])), file)
        return file.getvalue()
    return written([COLUMNS, *([row[column] for column in COLUMNS] for row in rows)], "\t" if form == "tsv" else ",").encode()


def read_back(form: str, output: bytes) -> Iterator[dict[str, Any]]:
    if form == "parquet":
        yield from pytest.importorskip("pyarrow.parquet").read_table(io.BytesIO(output)).to_pylist()
    elif form in {"json", "jsonl"}:
        yield from json.loads(output) if form == "json" else map(json.loads, output.decode().split("\n")[:-1])
    else:
        header, *rows = parsed(output, "\t" if form == "tsv" else ",")
        yield from (dict(zip(header, row, strict=True)) for row in rows)


@pytest.mark.parametrize("form", FORMATS[:-1])
@pytest.mark.parametrize("source", FORMATS)
@FEW
@given(data=st.data())
def test_each_format_in_each_other(label: Labelling, data: st.DataObject, source: str, form: str) -> None:
    lines = source == "lines"
    kept = st.characters(codec="utf-8", exclude_characters="\0\ufeff" + "\n\r\t" * lines)
    cell = st.text(kept, max_size=8) | st.sampled_from(["I loved it.", "Dreadful.", "  "])
    rows = data.draw(st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=5))
    table = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    output = label(f"a.{'txt' if lines else source}", table_as(source, table), form)
    texts = [row["text"] for row in table]
    if lines and form == "tsv":
        spaces = [text.translate(dict.fromkeys(map(ord, "\v\f\x1c\x1d\x1e\x85\u2028\u2029"), " ")) for text in texts]
        found = [line.split("\t") for line in output.decode().split("\n")[:-1]]
        assert found == [[*answer, text] for text, answer in zip(spaces, label.cells(texts), strict=True)]
        return
    if form == "jsonl" and source != "jsonl":
        assert len(output.decode().splitlines()) == len(texts)  # whatever a tool takes for the end of a line
    back = [*read_back(form, output)]
    wanted = ["text"] if lines else COLUMNS
    assert [[row[column] for column in wanted] for row in back] == [[row[column] for column in wanted] for row in table]
    if form in {"csv", "tsv"}:
        assert [[row["label"], row["score"]] for row in back] == label.cells(texts)
    else:
        for row, answer in zip(back, label.entries(texts), strict=True):
            defaults = {} if form == "parquet" else {"truncated": False}  # which lines say only where it is true
            assert {name: (defaults | row)[name] or answer[name] for name in ADDED} == answer
            assert (row["label"] is None) == (answer["label"] is None)
