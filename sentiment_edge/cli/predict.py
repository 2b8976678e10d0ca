"""`sentiment-edge predict`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.common.options import BundleArgument, EngineOption, ThreadsOption
from sentiment_edge.cli.common.records import FORMATS, HEADERS, RecordFormat, for_terminal
from sentiment_edge.cli.common.terminal import TerminalProgress, shows_progress, warn
from sentiment_edge.data.lines import LONGEST_LINE, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sentiment_edge.data.lines import Lines
    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.prediction import FailedPrediction, Prediction


def predict(
    bundle: BundleArgument = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", exists=True, dir_okay=False, readable=True, help="File to read; repeatable. The default is stdin."
        ),
    ] = None,
    record_format: Annotated[
        RecordFormat, typer.Option("--format", help="Format of the output, a record for each line.")
    ] = "tsv",
    engine: EngineOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Label each line of stdin, or of files: one line out for each line in."""
    from sentiment_edge_runtimes.classifier import load
    from sentiment_edge_runtimes.errors import InputError

    if sys.stdout is None or (sys.stdin is None and not inputs):
        raise InputError("nothing to read from or write to: stdin or stdout is closed")
    classifier = load(bundle, engine=engine, threads=threads)
    if not inputs and sys.stdin.isatty():
        warn("reading lines from the terminal; end with Ctrl-D (Windows: Ctrl-Z, Enter)")
    counts = _write_labels(classifier, read_lines(inputs or []), record_format)
    for remark in counts.remarks(classifier.bundle.manifest.max_length):
        warn(remark)
    if counts.failed:
        raise typer.Exit(1)


def _write_labels(classifier: Classifier, blocks: Iterable[Lines], record_format: RecordFormat) -> _Counts:
    """Write a record for each line, as soon as the lines of a block are labelled."""
    write, counts = _Writer(), _Counts()
    write(HEADERS[record_format])
    write.flush()
    with TerminalProgress(shown=shows_progress() and not write.is_terminal) as progress:
        for lines in blocks:
            for text, prediction in _label(classifier, lines.texts):
                write(FORMATS[record_format](text, prediction))
                counts.add_answer(prediction)
            write.flush()
            counts.add_lines(lines)
            progress.advance(len(lines.texts))
    return counts


def _label(classifier: Classifier, texts: list[str]) -> Iterator[tuple[str, Prediction | FailedPrediction | None]]:
    """Yield each text with its prediction, which may have failed; None for a blank one."""
    predictions = classifier.stream([text for text in texts if text.strip()], on_error="return")
    return ((text, next(predictions) if text.strip() else None) for text in texts)


class _Writer:
    """Writes records to stdout as UTF-8 whatever the locale is; to a terminal without delay."""

    def __init__(self) -> None:
        self._stdout = sys.stdout.buffer
        self.is_terminal = sys.stdout.isatty()

    def __call__(self, record: str) -> None:
        shown = for_terminal(record) if self.is_terminal else record
        self._stdout.write(shown.encode("utf-8", "replace"))
        if self.is_terminal:
            self.flush()

    def flush(self) -> None:
        self._stdout.flush()


@dataclass
class _Counts:
    """Numbers of lines that the user should know about."""

    failed: int = 0
    _lines: int = 0
    _first_failure: str = ""
    _truncated: int = 0
    _undecodable: int = 0
    _overlong: int = 0

    def add_answer(self, prediction: Prediction | FailedPrediction | None) -> None:
        self._lines += 1
        if prediction is None:
            return
        if prediction.label is None:
            self._first_failure = self._first_failure or f"line {self._lines}: {prediction.error}"
            self.failed += 1
        else:
            self._truncated += prediction.truncated

    def add_lines(self, lines: Lines) -> None:
        self._undecodable += lines.undecodable
        self._overlong += lines.overlong

    def remarks(self, max_length: int) -> Iterator[str]:
        if self.failed:
            yield f"{self.failed} lines got no label; the first is {self._first_failure}"
        if self._truncated:
            yield f"{self._truncated} texts cut to the {max_length} tokens that the model reads"
        if self._undecodable:
            yield f"{self._undecodable} lines not UTF-8; the bytes that could not be read became U+FFFD"
        if self._overlong:
            yield f"{self._overlong} lines longer than {LONGEST_LINE // 2**20} MiB; the rest of them was dropped"
