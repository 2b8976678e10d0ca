"""Labelled texts as `evaluate` reads them: good files in any format, and odd ones refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.remarks import Remarks
from helpers.support import Command
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge import InputError
from sentiment_edge.data.labelled import Selection, read_labelled

QUOTED = 'He said "no", twice.'


def read(path: Path, contents: str | bytes, **selection: object) -> tuple[list[tuple[int, str, str]], list[str]]:
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    remarks = Remarks()
    return [tuple(row) for row in read_labelled(path, Selection(**selection), remarks)], remarks.heard  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("a.tsv", "text\tlabel\nfine\t1\nbad\t0\n"),
        ("a.tsv", "\ufefflabel\ttext\r\n1\tfine\r\n0\tbad"),
        ("a.txt", "text\tlabel\nfine\t1\nbad\t0\n"),
        ("a.csv", "\ufefftext,label\nfine,1\nbad,0\n"),
        ("A.CSV", ' text ,"LABEL"\r\n"fine", 1\r\n"bad",0 \r\n'),
        ("a", "text,label\nfine,1\nbad,0\n"),
        ("a.jsonl", '\ufeff{"text": "fine", "label": 1}\n{"label": "0", "id": 7, "text": "bad"}'),
        ("a.json", '{"text": "fine", "label": 1, "more": [2]}\n{"text": "bad", "label": 0}\n'),
    ],
)
def test_formats(tmp_path: Path, name: str, contents: str) -> None:
    assert read(tmp_path / name, contents) == ([(2 - ("json" in name), "fine", "1"), (3 - ("json" in name), "bad", "0")], [])


def test_empty_lines_are_passed_over_and_still_counted(tmp_path: Path) -> None:
    for name, contents in (("a.tsv", "text\tlabel\n\nfine\t1\n\n"), ("a.csv", "text,label\n\nfine,1\n\n")):
        assert read(tmp_path / name, contents)[0] == [(3, "fine", "1")]
    assert read(tmp_path / "a.jsonl", '\n\n{"text": "fine", "label": 1}\n\n')[0] == [(3, "fine", "1")]


def test_a_csv_cell_may_span_lines(tmp_path: Path) -> None:
    rows, _ = read(tmp_path / "a.csv", 'text,label\n"two\nlines, ""quoted""",1\nfine,0\n')
    assert rows == [(2, 'two\nlines, "quoted"', "1"), (4, "fine", "0")]


def test_quotes_in_tsv_are_literal_unless_all_are_csvs(tmp_path: Path) -> None:
    literal = read(tmp_path / "a.tsv", f'text\tlabel\n{QUOTED}\t1\n"fine"\t0\n')[0]
    assert [text for _, text, _ in literal] == [QUOTED, '"fine"']
    quoted = read(tmp_path / "a.tsv", 'text\tlabel\n"He said ""no"", twice."\t1\nfine\t"0"\n')[0]
    assert quoted == [(2, QUOTED, "1"), (3, "fine", "0")]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters='\t\n\r"\0'), min_size=1), max_size=20))
def test_tsv_gives_back_what_was_written(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    contents = "label\ttext\n" + "".join(f"1\t{text}\n" for text in texts)
    rows, _ = read(tmp_path_factory.getbasetemp() / "a.tsv", contents, skip_bad=True)
    assert [text for _, text, _ in rows] == [text for text in texts if text.strip()]


def test_of_several_columns_the_first_known_is_taken_and_named(tmp_path: Path) -> None:
    contents = "Review\tsentence\tlabel3\tSentiment\nreviewed\tsaid\t2\t1\n"
    rows, remarks = read(tmp_path / "a.tsv", contents)
    assert rows == [(2, "said", "1")]
    assert [remark.partition(": ")[2].partition(";")[0] for remark in remarks] == [
        "text taken from the column 'sentence'",
        "label taken from the column 'Sentiment'",
    ]
    assert read(tmp_path / "a.tsv", contents, text_column="Review", label_column="label3") == ([(2, "reviewed", "2")], [])


@pytest.mark.parametrize(
    ("name", "contents", "expected"),
    [
        ("a.tsv", b"", "the file is empty"),
        ("a.jsonl", b"", "the file is empty"),
        ("a.tsv", b"\n", "names no columns"),
        ("a.csv", b"\x00\x01\x02\xff" * 1000, "not text in UTF-8"),
        ("a", b"text\nfine\n", "no tab, comma, semicolon or bar"),
        ("a.tsv", b"fine\t1\t2\nbad\t0\t1\n", "the columns are: column_1, column_2, column_3; name it by `label_column`"),
        ("a.csv", b"text^label\nfine^1\n", "columns: text^label; name it by `text_column`"),
        ("a.csv", b"text,stars\nfine,1\n", "name it by `label_column`"),
        ("a.csv", b'"te\nxt",label\nfine,1\n', "columns: te xt, label; name it by `text_column`"),
        ("a.csv", b"text,label,label\nfine,1,1\n", "'label' twice"),
        ("a.csv", b'text,label\n"fine,1\nbad,0\n', "line 2 (not csv: unexpected end of data)"),
        ("a.csv", b"text,label\nfine,1\nbad\n", "1 rows cannot be used: line 3 (1 columns, where the header has 2)"),
        ("a.tsv", b"text\tlabel\nfine\t1\nb\xffd\t0\n", "line 3 (not UTF-8)"),
        ("a.tsv", b"text\tlabel\n \t1\nfine\t\n", "2 rows cannot be used: line 2 (no text), line 3 (no label)"),
        ("a.tsv", b"text\tlabel\n" + b"x" * 5_000_000 + b"\t1\n", "line 2 (more than 4194304 characters in a cell)"),
        ("a.csv", b"text,label\n" + b"x" * 5_000_000 + b",1\n", "line 2 (more than 4194304 characters in a cell)"),
        ("a.tsv", b"text\tlabel\n" + b"x" * 40_000_000, "1 rows cannot be used: line 2 (more than 4194304"),
        ("a.jsonl", b'{"text": "a", "label": 1}\n{"text": "a"', "line 2 (not JSON)"),
        ("a.jsonl", b"3\n" + b'{"text": "a", "label": 1}\n{"text": ["a"], "label": 1}', "line 1 (not a JSON object"),
        ("a.jsonl", b'{"text": "a", "label": 1}\n' + b"[" * 100_000, "line 2 (not JSON)"),
        ("a.jsonl", b'{"text": "a", "label": {}}\n', "line 1 (no text there, but a list, an object or the like)"),
        (
            "a.csv",
            b"text,label\n" + b"fine\n" * 9,
            "9 rows cannot be used: line 2 (1 columns, where the header has 2), line 3 ",
        ),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, contents: bytes, expected: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path / name, contents)
    message = str(raised.value)
    assert expected in message
    assert message.startswith(f"{tmp_path / name}: ")
    assert "\n" not in message
    assert len(message) < 600


def test_bad_rows_may_be_left_out(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'text,label\nfine,positive\nbad\n\xff,negative\n"broken"cell,negative\nawful,negative\n')
    done = command("evaluate", "--data", path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"3 rows cannot be used: line 3 (" in done.stderr
    assert b"--skip-bad" in done.stderr
    done = command("evaluate", "--data", path, "--skip-bad")
    assert done.returncode == 0
    assert done.stdout.startswith(b"gru-mini-int8 on a.csv: 2 rows\n")
    assert b"3 rows left out that cannot be used: line 3 (" in done.stderr


def test_nothing_left_is_one_line(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\n")
    done = command("evaluate", "--data", path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    path.write_text("prediction\tlabel\n")
    done = command("evaluate", "--predictions", path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
