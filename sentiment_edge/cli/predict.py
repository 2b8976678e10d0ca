"""`sentiment-edge predict`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.options import BundleArgument, ThreadsOption
from sentiment_edge.cli.records import FORMATS, HEADERS, RecordFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.prediction import Prediction

_QUIET_SECONDS = 2.0
"""How long a run may take before it shows progress."""


def predict(
    bundle: BundleArgument = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option("--input", exists=True, dir_okay=False, readable=True, help="File to read; repeatable. Stdin without it."),
    ] = None,
    record_format: Annotated[RecordFormat, typer.Option("--format", help="What to write for each line.")] = "tsv",
    threads: ThreadsOption = None,
) -> None:
    """Label each line of stdin, or of files: one line out for each line in."""
    from sentiment_edge.cli.reading import read_lines
    from sentiment_edge_runtimes.classifier import load
    from sentiment_edge_runtimes.errors import InputError

    if sys.stdin is None or sys.stdout is None:
        raise InputError("stdin and stdout must be open")
    classifier = load(bundle, threads=threads)
    if not inputs and sys.stdin.isatty():
        typer.echo("sentiment-edge: reading lines from the terminal; end with Ctrl-D (Windows: Ctrl-Z, Enter)", err=True)
    tally = _Tally()
    _write(HEADERS[record_format])
    sys.stdout.buffer.flush()
    for lines in read_lines(inputs or []):
        for text, prediction in _label(classifier, lines.texts):
            _write(FORMATS[record_format](text, prediction))
            tally.truncated += prediction is not None and prediction.truncated
        sys.stdout.buffer.flush()
        tally.undecodable += lines.undecodable
        tally.count(len(lines.texts))
    tally.close()
    if tally.truncated:
        limit = classifier.bundle.max_length
        typer.echo(f"sentiment-edge: {tally.truncated} texts cut to the {limit} tokens that the model reads", err=True)
    if tally.undecodable:
        typer.echo(f"sentiment-edge: {tally.undecodable} lines not UTF-8; what could not be read became U+FFFD", err=True)


def _label(classifier: Classifier, texts: list[str]) -> Iterator[tuple[str, Prediction | None]]:
    """Yield each text with its prediction; None for a blank one."""
    predictions = classifier.stream(text for text in texts if text.strip())
    return ((text, next(predictions) if text.strip() else None) for text in texts)


def _write(record: str) -> None:
    """Write UTF-8 whatever the locale is; at once to a terminal."""
    sys.stdout.buffer.write(record.encode("utf-8", "replace"))
    if sys.stdout.isatty():
        sys.stdout.buffer.flush()


@dataclass
class _Tally:
    """Counts lines, and shows the count on a terminal once the run has taken a while."""

    truncated: int = 0
    undecodable: int = 0
    _lines: int = 0
    _start: float = field(default_factory=time.monotonic)
    _shown: float = 0.0

    def count(self, lines: int) -> None:
        self._lines += lines
        seconds = time.monotonic() - self._start
        if sys.stderr.isatty() and seconds > max(_QUIET_SECONDS, self._shown + 0.5):
            self._shown = seconds
            sys.stderr.write(f"\r{self._lines:,} lines, {self._lines / seconds:,.0f} a second ")
            sys.stderr.flush()

    def close(self) -> None:
        if self._shown:
            sys.stderr.write("\n")
