"""Texts of files or of stdin labelled, a part at a time, in bounded memory."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_edge.data.columns import problem_of
from sentiment_edge.data.table import open_table
from sentiment_edge.data.tables.record import Record
from sentiment_edge.data.texts import find_text
from sentiment_edge.labelling.output.sink import naming
from sentiment_edge.labelling.row import LabelledRow
from sentiment_edge.labelling.tally import Tally
from sentiment_edge.labelling.waiting import WaitingRows
from sentiment_edge.labelling.writers.choice import choose_format, choose_writer
from sentiment_edge.render.text import listed
from sentiment_edge_runtimes.errors import InputError
from sentiment_edge_runtimes.progress import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sentiment_edge.data.tables.record import Table
    from sentiment_edge.labelling.output.sink import OpenOutput, Sink
    from sentiment_edge.labelling.request import LabellingRequest
    from sentiment_edge.labelling.row import OutputFormat, RowWriter
    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.progress import Progress


def label_files(
    classifier: Classifier, paths: Sequence[Path], request: LabellingRequest, open_output: OpenOutput, progress: Progress
) -> Tally:
    """Label the texts of files, one after the other, into one output, and return what happened to them.

    Args:
        classifier: the model.
        paths: the files; `-` for stdin.
        request: how they are read and written.
        open_output: returns the output, once the first file has been opened.
        progress: hears what was chosen and left out, and how far it is.

    Raises:
        InputError: a file, or a row of it, cannot be used.
        EngineError: the engine failed.
        OSError: the output cannot be written.
    """
    check_files(paths, request, together=True)
    run = _Run(classifier, request, open_output, progress, several=len(paths) > 1)
    with run.finished():
        for path in paths:
            run.read(path)
    return run.tally


def check_files(paths: Sequence[Path], request: LabellingRequest, *, together: bool) -> None:
    """Open each of several files before the work on the first, so that hours later none is refused.

    Args:
        paths: the files.
        request: how they are read.
        together: they go into one output, so that their columns must be the same.

    Raises:
        InputError: one cannot be read, has no column of texts, or other columns.
    """
    files = [path for path in paths if path.is_file()] if len(paths) > 1 else []
    first: Table | None = None
    for path in files:
        with open_table(path, request.read_options) as table:
            find_text(table, request.text_column, SILENT)
            first = first or table
            if together:
                _check_columns(table, first)


class _Opened(NamedTuple):
    """The output, as the first file makes it."""

    first: Table
    sink: Sink
    writer: RowWriter


class _Run:
    """Rows on their way from the files to one output."""

    def __init__(
        self,
        classifier: Classifier,
        request: LabellingRequest,
        open_output: OpenOutput,
        progress: Progress,
        *,
        several: bool,
    ) -> None:
        self.tally = Tally()
        self._classifier = classifier
        self._request = request
        self._open_output = open_output
        self._progress = progress
        self._several = several
        """There are several files, so that their names tell places in them apart."""
        self._sink: Sink | None = None
        self._opened: _Opened | None = None

    def read(self, path: Path) -> None:
        """Label a file."""
        waiting = WaitingRows()
        with open_table(path, self._request.read_options, self._progress, waiting) as table:
            text_at = find_text(table, self._request.text_column, self._progress)
            opened, done = self._open(table, text_at)
            waiting.answer = partial(self._answer, table, opened)
            for number, record in enumerate(islice(table.records, done, None), start=done):
                if waiting.are_many:  # and another follows, so that none of them could still grow
                    waiting.flush()
                    opened.sink.hold(number, waiting.read_so_far, self.tally.to_dict())
                self._take(table, opened.writer, record, text_at, waiting)
            waiting.flush()
        for remark in self.tally.end_file(table):
            self._progress.remark(remark)

    @contextmanager
    def finished(self) -> Iterator[None]:
        """Finish the output after the block; leave it unfinished where the block fails."""
        try:
            yield
            if self._opened is not None:
                with naming(self._opened.sink.path):
                    self._opened.writer.end()
                    self._opened.sink.finish()
        except BaseException:
            kept = self._sink.abandon() if self._sink is not None else ""
            if kept:
                self._progress.remark(kept)
            raise
        for remark in () if self._opened is None else self._opened.writer.remarks():
            self._progress.remark(remark)

    def _open(self, table: Table, text_at: int) -> tuple[_Opened, int]:
        """Return the output, and the number of rows that are in it already."""
        if self._opened is not None:
            _check_columns(table, self._opened.first)
            return self._opened, 0
        form = choose_format(self._request.output_format, table)
        self._sink = self._open_output(form, table)
        if self._sink.note:
            self._progress.remark(self._sink.note)
        held = self._sink.resume(partial(self._identity, table, form, text_at))
        if held is not None:
            self.tally = Tally.from_dict(held.tally)
        self.tally.unit = "lines" if table.format == "lines" else "rows"
        with naming(self._sink.path):
            writer = choose_writer(form, table, self._sink, self._classifier.labels)
            writer.begin(fresh=held is None)
            self._sink.flush()
        self._opened = _Opened(table, self._sink, writer)
        return self._opened, 0 if held is None else held.rows

    def _identity(self, table: Table, form: OutputFormat, text_at: int) -> dict[str, Any]:
        """Return what decides the output, but for the rows."""
        from importlib.metadata import version  # noqa: PLC0415 - slow to import

        return {
            "version": version("sentiment-edge"),
            "bundle": self._classifier.bundle.fingerprint,
            "engine": self._classifier.engine,
            "format": form,
            "column of texts": table.columns[text_at],
            "columns": [*table.columns],
            "form of the input": [table.format, table.encoding, table.separator, table.quoted, table.header, table.line_end],
        }

    def _take(self, table: Table, writer: RowWriter, record: Record, text_at: int, waiting: WaitingRows) -> None:
        """Let a row wait, leave it out, or refuse it."""
        problem = problem_of(record, text_at)
        if problem and table.format == "lines" and not self._request.skip_bad:
            self.tally.faulty.add(record.line, problem)
            record = Record(record.line, [record.original])
        elif problem := problem or writer.problem(record):
            self.tally.bad.add(record.line, problem)
            if not self._request.skip_bad:
                waiting.flush()
                self.tally.bad.report(table, self._progress, skip=False)
            return
        waiting.add(record, record.cells[text_at])

    def _answer(self, table: Table, opened: _Opened, rows: list[tuple[Record, str]]) -> None:
        """Write rows with their answers."""
        texts = [text for _, text in rows if text.strip()]
        answers = self._classifier.stream(texts, on_error="return")
        labelled = [LabelledRow(record, text, next(answers) if text.strip() else None) for record, text in rows]
        with naming(opened.sink.path):
            opened.writer.write(table, labelled)
            opened.sink.flush()
        unit = f"{table.name}: {table.unit}" if self._several else table.unit
        for row in labelled:
            self.tally.add(unit, row.record.line, row.answer)
        share = table.share()
        if share is not None:
            self._progress.share(share)
        self._progress.advance(len(rows))


def _check_columns(table: Table, first: Table) -> None:
    if table.columns != first.columns or (table.format == "lines") != (first.format == "lines"):
        raise InputError(
            f"{table.name}: its columns ({listed(table.columns)}) are not those of {first.name} ({listed(first.columns)}); "
            "give a folder by `output`, or label it by itself"
        )
