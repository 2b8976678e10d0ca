"""Readers of users' own files, and of requests to the server."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from helpers.support import SHARED

from sentiment_edge.data.labelled import Selection, read_labelled
from sentiment_edge.data.labels import match_labels, parse_map
from sentiment_edge.data.table import open_table
from sentiment_edge.data.tables.record import ReadOptions
from sentiment_edge.data.texts import read_own_texts
from sentiment_edge.evaluation.as_json import as_json
from sentiment_edge.evaluation.run import evaluate_predictions
from sentiment_edge.evaluation.text import text
from sentiment_edge_runtimes.errors import InputError
from sentiment_edge_runtimes.progress import SILENT
from tools.hostile.damage.formats import damage_lines
from tools.hostile.damage.raw import damage_bytes, pick
from tools.hostile.damage.text import damage_text
from tools.hostile.damage.tree import damage_json
from tools.hostile.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_ROWS = (
    ("a good film", "positive", "1", "0.1", "0.9"),
    ('"bad", they said', "neg", "0", "0.75", "0.25"),
    ("é 好", "1", "1", "0", "1"),
)
_NAMES = ("text", "label", "prediction", "prob_0", "prob_1")
_PREDICTED = (b"label,prediction,negative,p_positive\n1,positive,0.1,0.9\n0,negative,1,0\npositive,negative,.5,.5\n",)
_CSV = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in (_NAMES, *_ROWS)).encode()
_TSV = "".join("\t".join(row) + "\n" for row in (_NAMES, *_ROWS)).encode()
_JSONL = (
    b'{"text": "a good film", "label": 1, "prediction": 1, "1": 0.9, "0": 0.1}\n'
    b'{"text": "bad", "label": "neg", "prediction": 0}\n'
)
_SEEDS = {".csv": [_CSV, *_PREDICTED], ".tsv": [_TSV, *(part.replace(b",", b"\t") for part in _PREDICTED)], ".jsonl": [_JSONL]}
_LINES = b"a good film\n\nbad\r\n  \n" + "é 好 \N{GRINNING FACE}\n".encode() + b"last"
_REQUESTS = (b'{"text": "a good film"}', b'{"text": ["good", "bad", "\\ud83d\\ude00"], "more": {"a": [1, 2.5]}}')
_NAME = "input"


def _seed(random: Random) -> tuple[str, bytes]:
    """Return a table and the ending of its name; seldom one of the files as people have them."""
    found = sorted((SHARED / "cases/files").glob("*"))
    if found and pick(random, {"published": 1, "made here": 9}) == "published":
        path = random.choice(found)
        return path.suffix, path.read_bytes()
    ending = random.choice([*_SEEDS])
    return ending, random.choice(_SEEDS[ending])


def _make_table(random: Random, folder: Path) -> None:
    ending, seed = _seed(random)
    damage = random.choice((damage_lines, damage_text)) if ending == ".jsonl" else damage_text
    ending = random.choice((*[ending] * 20, ".csv", ".tsv", ".jsonl", ".txt", ""))
    (folder / f"{_NAME}{ending}").write_bytes(damage(random, seed))


def _make_lines(random: Random, folder: Path) -> None:
    (folder / f"{_NAME}{random.choice(('.txt', ''))}").write_bytes(damage_text(random, _LINES))


def _make_request(random: Random, folder: Path) -> None:
    damage = random.choice((damage_json, damage_json, damage_bytes))
    (folder / _NAME).write_bytes(damage(random, random.choice(_REQUESTS)))


def _given(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def _read_labelled(folder: Path, *, skip_bad: bool) -> None:
    rows = read_labelled(_given(folder), Selection(skip_bad=skip_bad), SILENT)
    match_labels(Counter(row.label for row in rows), ("negative", "positive"), parse_map(["neu="]), SILENT)


def _evaluate(folder: Path, *, skip_bad: bool) -> None:
    result = evaluate_predictions(_given(folder), Selection(skip_bad=skip_bad), SILENT)
    text(result, digits=2)
    as_json(result)


def _read_texts(folder: Path) -> None:
    read_own_texts(_given(folder), None, SILENT)


def _read_lines(folder: Path) -> None:
    with open_table(_given(folder), ReadOptions(plain=True)) as table:
        for record in table.records:
            "".join(record.cells).encode()  # whatever the bytes were, what is read is text
    read_own_texts(_given(folder), None, SILENT, most=5)


def _parse_request(folder: Path) -> None:
    from sentiment_edge.server.limits import Limits, RequestRefused  # noqa: PLC0415 - needs the extra serve
    from sentiment_edge.server.requests import parse_explained, parse_text  # noqa: PLC0415

    body = (folder / _NAME).read_bytes()
    with suppress(RequestRefused):
        parse_explained(body)
    try:
        parse_text(body, Limits())
    except RequestRefused as refusal:
        raise InputError(str(refusal)) from refusal


READERS = {
    "table, labelled": Reader(_make_table, partial(_read_labelled, skip_bad=False)),
    "table, labelled, bad rows left out": Reader(_make_table, partial(_read_labelled, skip_bad=True)),
    "table, predictions": Reader(_make_table, partial(_evaluate, skip_bad=False)),
    "table, predictions, bad rows left out": Reader(_make_table, partial(_evaluate, skip_bad=True)),
    "table, own texts": Reader(_make_table, _read_texts),
    "lines, own texts": Reader(_make_lines, _read_texts),
    "lines": Reader(_make_lines, _read_lines),
    "request": Reader(_make_request, _parse_request),
}
