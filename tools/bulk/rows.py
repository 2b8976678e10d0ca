"""The rows to label: reviews, with texts that are missing, blank, of emoji or very long; and the answers, read back."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[3] / "shared" / "data"
_SOURCES = ("sst2/train.tsv", "imdb/test-1000.tsv")
_FILES = 8
TASK_ROWS = 16_384
"""Rows of a task: as many as the blocks have into which `sentiment_edge.bulk.ray` cuts a dataset."""
_LONG = 2000
"""How often a very long text comes."""


class Answer(NamedTuple):
    """What is compared."""

    label: str
    score: float


def write_rows(folder: Path, count: int) -> Path:
    """Write so many rows as a few Parquet files, and return their folder."""
    place = folder / f"rows-{count}"
    if not place.exists():
        place.mkdir()
        texts = [*islice(_texts(), count)]
        for number in range(_FILES):
            ids = range(number, count, _FILES)
            part = pa.table({"id": [*ids], "text": [texts[each] for each in ids], "stars": [each / 2 for each in ids]})
            pq.write_table(part, place / f"{number}.parquet")
    return place


def write_blank(folder: Path, tasks: int) -> Path:
    """Write rows without a text, as many as so many tasks get, and return their folder."""
    place = folder / f"blank-{tasks}"
    if not place.exists():
        place.mkdir()
        for number in range(tasks):
            ids = range(number * TASK_ROWS, (number + 1) * TASK_ROWS)
            pq.write_table(pa.table({"id": [*ids], "text": pa.nulls(TASK_ROWS, pa.string())}), place / f"{number}.parquet")
    return place


def read_answers(folder: Path) -> dict[int, Answer | None]:
    """Return the answers by id.

    Raises:
        ValueError: an id is there more than once.
    """
    found: dict[int, Answer | None] = {}
    files = sorted(folder.rglob("*.parquet"))
    for file in files:
        for row in pq.read_table(file, partitioning=None).to_pylist():
            answer = row["sentiment"] or {"label": None} if "sentiment" in row else row
            if row["id"] in found:
                raise ValueError(f"{file}: the id {row['id']} is there twice")
            found[row["id"]] = Answer(answer["label"], answer["score"]) if answer["label"] else None
    return found


def _texts() -> Iterator[str | None]:
    """Yield texts for ever."""
    reviews = [line.split("\t")[0] for name in _SOURCES for line in (DATA / name).read_text("utf-8").splitlines()[1:]]
    odd = {7: None, 9: " \t", 11: "", 13: "\N{PILE OF POO} \N{SMILING FACE WITH HEART-SHAPED EYES}" * 3}
    for number, text in enumerate(cycle(reviews)):
        if number % _LONG == _LONG - 1:
            yield f"{text} " * 300
        else:
            yield odd.get(number % 50, text)
