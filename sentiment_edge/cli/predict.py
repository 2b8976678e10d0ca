"""`sentiment-edge predict`."""

from __future__ import annotations

import os
import stat
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.common.options import BundleArgument, EncodingOption, EngineOption, TextColumnOption, ThreadsOption
from sentiment_edge.cli.common.output import check_writable
from sentiment_edge.cli.common.terminal import TerminalProgress, shows_progress, warn
from sentiment_edge.data.tables.record import InputFormat
from sentiment_edge.data.tables.source import STDIN, without_compression
from sentiment_edge.labelling.row import OutputFormat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge.labelling.output.sink import OpenOutput
    from sentiment_edge.labelling.request import LabellingRequest


def predict(
    bundle: BundleArgument = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            exists=True,
            dir_okay=False,
            readable=True,
            allow_dash=True,
            help="Lines or a table: csv, tsv, jsonl, JSON or Parquet, also compressed; repeatable. The default is stdin, -.",
        ),
    ] = None,
    text_column: TextColumnOption = None,
    input_format: Annotated[
        InputFormat | None, typer.Option(help="Format of the input; the default is what its ending tells, of stdin lines.")
    ] = None,
    encoding: EncodingOption = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out rows that cannot be read.")] = False,
    record_format: Annotated[
        OutputFormat | None,
        typer.Option("--format", help="Format of the output; the default is that of the table, of lines tsv."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="File to write, or for several inputs a folder; the default is stdout.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run stopped writing --output (csv, tsv, jsonl).")
    ] = False,
    engine: EngineOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Label the texts of stdin, or of files: a line out for each line in, a table with the answers added for a table."""
    from sentiment_edge.labelling.output.choice import format_of
    from sentiment_edge.labelling.request import LabellingRequest
    from sentiment_edge.labelling.run import label_files
    from sentiment_edge_runtimes.classifier import load

    paths = inputs or [STDIN]
    output = None if output is not None and _is_stdout(output) else output
    form = record_format or format_of(output)
    _check_usage(paths, output, form, resume=resume)
    request = LabellingRequest(text_column, input_format, encoding, form, skip_bad)
    classifier = load(bundle, engine=engine, threads=threads)
    if STDIN in paths and sys.stdin.isatty():
        warn("reading lines from the terminal; end with Ctrl-D (Windows: Ctrl-Z, Enter)")
    failed = 0
    with TerminalProgress(shown=shows_progress() and (output is not None or not sys.stdout.isatty())) as progress:
        for together, open_output in _outputs(paths, output, request, resume=resume):
            tally = label_files(classifier, together, request, open_output, progress)
            for remark in tally.remarks(classifier.bundle.manifest.max_length):
                progress.remark(remark)
            failed += tally.failed
    if failed:
        raise typer.Exit(1)


def _check_usage(paths: Sequence[Path], output: Path | None, form: str | None, *, resume: bool) -> None:
    """Refuse before the model is loaded what would be refused after it."""
    from sentiment_edge_runtimes.errors import InputError

    if (sys.stdout is None and output is None) or (sys.stdin is None and STDIN in paths):
        raise InputError("nothing to read from or write to: stdin or stdout is closed")
    if output is None:
        if resume:
            raise typer.BadParameter("--resume goes with --output FILE")
        for path in paths:
            if _is_stdout(path):
                raise InputError(f"{'stdin' if path == STDIN else path}: stdout goes into it; write to another file")
        return
    if without_compression(output) != output:
        raise typer.BadParameter(f"--output is not compressed: leave {output.suffix} out, and compress it afterwards")
    if _is_folder(output, paths):
        _check_folder(paths, form, resume=resume)
    elif form is None and output.suffix not in {"", ".txt"}:
        raise typer.BadParameter(f"--output ends in {output.suffix}, which names no format; choose one by --format")
    check_writable(output)


def _check_folder(paths: Sequence[Path], form: str | None, *, resume: bool) -> None:
    if resume:
        raise typer.BadParameter("--resume goes with one --input and an --output FILE")
    if STDIN in paths:
        raise typer.BadParameter("--output is a folder, and stdin has no name for a file in it; name a file")
    names = [without_compression(path).stem if form else without_compression(path).name for path in paths]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise typer.BadParameter(f"two inputs would become one file in --output: {twice}; label them by themselves")


def _is_folder(output: Path, paths: Sequence[Path]) -> bool:
    return output.is_dir() or (len(paths) > 1 and not output.suffix and not output.exists())


def _is_stdout(path: Path) -> bool:
    """Whether a file, or stdin for `-`, is the regular file that stdout goes into."""
    try:
        status = os.fstat(sys.stdout.fileno())
        other = os.fstat(sys.stdin.fileno()) if path == STDIN else path.stat()
        return stat.S_ISREG(status.st_mode) and os.path.samestat(status, other)
    except (OSError, ValueError):  # no such file, or a stdout in memory
        return False


def _outputs(
    paths: Sequence[Path], output: Path | None, request: LabellingRequest, *, resume: bool
) -> Iterator[tuple[Sequence[Path], OpenOutput]]:
    """Yield the inputs that go into one output, with the way to open it."""
    from sentiment_edge.labelling.output.choice import open_in_folder, open_stdout, open_target
    from sentiment_edge.labelling.run import check_files

    if output is None:
        yield paths, open_stdout
    elif _is_folder(output, paths):
        check_files(paths, request, together=False)
        output.mkdir(exist_ok=True)
        done: set[Path] = set()
        for path in paths:
            yield [path], partial(open_in_folder, folder=output, source=path, sources=paths, done=done)
    else:
        yield paths, partial(open_target, target=output, sources=paths, resume=resume)
