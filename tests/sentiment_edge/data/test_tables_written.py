"""Tables that Python's own modules and pyarrow wrote come back as they were: any text, encoding, compression, block size."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import InputError
from sentiment_edge.data.table import open_table
from sentiment_edge.data.tables import source, text
from sentiment_edge.data.tables.record import ReadOptions, Record, Table

COLUMNS = ["id", "text", "more"]
ENCODINGS = {
    "utf-8": None,
    "utf-8-sig": None,
    "utf-16": None,
    "utf-16-le": "utf-16-le",
    "utf-32": None,
    "cp1252": "cp1252",
    "gb18030": "gb18030",
}
"""By the encoding that a file is written in, the one that is named; the others are found out."""
CHARACTERS = {
    name: st.characters(codec="cp1252" if name == "cp1252" else "utf-8", exclude_characters="\0") for name in ENCODINGS
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
PACKERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def packed(ending: str, contents: bytes) -> bytes:
    if ending == ".zst":
        return pytest.importorskip("zstandard", reason="needs the extra test").compress(contents)  # type: ignore[no-any-return]
    return PACKERS[ending](contents)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_files_of_several_parts_and_cut_short(tmp_path: Path, ending: str) -> None:
    parts = [packed(ending, b"text\n" + os.urandom(50_000).hex().encode() + b"\n"), packed(ending, b"fine\n" * 9)]
    path = tmp_path / f"a.csv{ending}"
    path.write_bytes(b"".join(parts))
    with open_table(path) as table:
        assert [record.cells[0] for record in table.records][1:] == ["fine"] * 9
    for size in (len(parts[0]) - 30, len(parts[0]) + len(parts[1]) - 3):
        path.write_bytes(b"".join(parts)[:size])
        with pytest.raises(InputError, match="cannot be read to its end"), open_table(path) as table:
            list(table.records)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, int]:
    """The encoding, the compression and the size of the blocks that a file is read in."""
    return draw(st.sampled_from([*ENCODINGS])), draw(st.sampled_from([*PACKERS, ".zst"])), draw(st.sampled_from([5, 17, 2**16]))


def read(folder: Path, name: str, contents: bytes, block: int, encoding: str | None) -> tuple[Table, list[Record]]:
    path = folder / name
    path.write_bytes(contents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "BLOCK", block)
        patch.setattr(text, "BLOCK", 128 + block)  # the header, in any encoding
        with open_table(path, ReadOptions(encoding=encoding)) as table:
            return table, [*table.records]


@given(st.data(), files(), st.sampled_from(",;|\t"), st.sampled_from(["\r\n", "\n", "\r"]), st.booleans())
def test_csv_and_tsv(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    file: tuple[str, str, int],
    separator: str,
    end: str,
    tsv: bool,
) -> None:
    encoding, ending, block = file
    cell = st.text(CHARACTERS[encoding], max_size=12)
    rows = data.draw(st.lists(st.tuples(cell, cell, cell).map(list), max_size=8))
    written = io.StringIO(newline="")
    separator = "\t" if tsv else separator
    csv.writer(written, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([COLUMNS, *rows])
    contents = packed(ending, written.getvalue().encode(encoding))
    name = f"a.{'tsv' if tsv else 'csv'}{ending}"
    table, records = read(tmp_path_factory.getbasetemp(), name, contents, block, ENCODINGS[encoding])
    assert ([*table.columns], table.separator, table.header, table.quoted) == (COLUMNS, separator, True, True)
    assert [record.cells for record in records] == rows
    starts = [1]
    for row in [COLUMNS, *rows]:
        starts.append(starts[-1] + 1 + sum(each.count(table.line_end[-1]) for each in row))
    assert [record.line for record in records] == starts[1:-1]


@given(st.data(), files(), st.sampled_from(["jsonl", "json", "indented", "values"]), st.booleans())
def test_jsonl_and_json(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, file: tuple[str, str, int], kind: str, ascii_only: bool
) -> None:
    encoding, ending, block = file
    rows = data.draw(st.lists(st.fixed_dictionaries({"text": st.text(st.characters(codec="utf-8")), "more": JSON}), min_size=1))
    rows = [{"text": row["text"], "more": row["more"]} for row in rows]  # drawn in any order
    plain = ascii_only or encoding == "cp1252"
    written = [json.dumps(row, ensure_ascii=plain, indent=2 if kind in {"indented", "values"} else None) for row in rows]
    joined = "\n".join(written) if kind in {"jsonl", "values"} else f"[{','.join(written)}]\n"
    contents = packed(ending, joined.encode(encoding))
    name = f"a.{'jsonl' if kind == 'jsonl' else 'json'}{ending}"
    table, records = read(tmp_path_factory.getbasetemp(), name, contents, block, ENCODINGS[encoding])
    assert table.columns == ("text", "more")
    assert [record.original.value for record in records] == rows
    assert [record.original.text for record in records] == written
    assert [record.cells[0] for record in records] == [row["text"] for row in rows]
    assert not any(record.problem for record in records)


@given(st.data(), files())
def test_lines(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, file: tuple[str, str, int]) -> None:
    encoding, ending, block = file
    kept = CHARACTERS[encoding].filter(lambda character: character not in "\n\r")
    rows = data.draw(st.lists(st.text(kept, min_size=1, max_size=12), max_size=8))
    rows = [row.removeprefix("\ufeff") or "-" for row in rows[:1]] + rows[1:]  # which would be a byte order mark
    path = tmp_path_factory.getbasetemp() / f"a.txt{ending}"
    path.write_bytes(packed(ending, "".join(f"{row}\n" for row in rows).encode(encoding)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "BLOCK", block)
        with open_table(path, ReadOptions("lines", encoding)) as table:
            records = [*table.records]
    assert [(record.line, *record.cells) for record in records] == [*enumerate(rows, start=1)]


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "text": st.none() | st.text(st.characters(codec="utf-8")),
                "stars": st.none() | st.integers(-(2**63), 2**63 - 1),
                "share": st.floats(allow_nan=False),
                "tags": st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=3),
            }
        ),
        max_size=20,
    ),
    st.sampled_from([*PACKERS, ".zst"]),
    st.booleans(),
)
def test_parquet(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], ending: str, as_bytes: bool) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    types = {
        "text": pa.binary() if as_bytes else pa.string(),
        "stars": pa.int64(),
        "share": pa.float64(),
        "tags": pa.list_(pa.string()),
    }
    given_rows = [{**row, "text": row["text"] and row["text"].encode() if as_bytes else row["text"]} for row in rows]
    whole = pa.Table.from_pylist(given_rows, schema=pa.schema(types))
    written = io.BytesIO()
    __import__("pyarrow.parquet").parquet.write_table(whole, written, row_group_size=7)
    table, records = read(tmp_path_factory.getbasetemp(), f"a.parquet{ending}", packed(ending, written.getvalue()), 2**16, None)
    assert (table.format, table.unit, table.schema) == ("parquet", "row", whole.schema)
    assert [record.cells[0] for record in records] == [row["text"] or "" for row in rows]
    assert [record.cells[1] for record in records] == ["" if row["stars"] is None else str(row["stars"]) for row in rows]
    assert [record.line for record in records] == [*range(1, len(rows) + 1)]
    back = [record.original.batch.slice(record.original.row, 1) for record in records]
    assert pa.Table.from_batches(back, whole.schema).equals(whole)
