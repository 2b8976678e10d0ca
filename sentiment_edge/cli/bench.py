"""`sentiment-edge bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sentiment_edge.cli.common.options import (
    CheckpointOption,
    EncodingOption,
    JsonOption,
    PictureOption,
    TextColumnOption,
    check_no_file,
    check_number,
    one_of,
)
from sentiment_edge.cli.common.output import check_writable, write_whole
from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge_runtimes.vocabulary import ENGINE_CHOICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge.benchmark.run import BenchmarkRequest
    from sentiment_edge.benchmark.torch_baseline import TorchModel
    from sentiment_edge_runtimes.bundle import Bundle

_MOST_TEXTS = 100_000
"""Texts of a file that are used; more could not be measured in any reasonable time."""


def bench(
    bundles: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[BUNDLE]...", help="Folders of bundles; the default is the built-in one."),
    ] = None,
    engines: Annotated[
        list[str] | None,  # typer takes no list of Literal
        typer.Option(
            "--engine",
            metavar="|".join(ENGINE_CHOICES),
            help="Engine to measure; repeatable. The default is every one that can run the bundle.",
        ),
    ] = None,
    threads: Annotated[
        list[int] | None, typer.Option(min=1, help="CPU threads to use; repeatable. The default is 1, and all usable CPUs.")
    ] = None,
    lines: Annotated[
        Path | None,
        typer.Option(
            "--input",
            exists=True,
            dir_okay=False,
            readable=True,
            allow_dash=True,
            help="Real texts: one a line, csv, tsv, jsonl, JSON or Parquet; the default is the bundle's own.",
        ),
    ] = None,
    text_column: TextColumnOption = None,
    encoding: EncodingOption = None,
    against: Annotated[Literal["torch"] | None, typer.Option(help="Measure the original model too.")] = None,
    checkpoint: CheckpointOption = None,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, callback=check_number, help="Time for everything together, approximately.")
    ] = 60,
    png: PictureOption = None,
    print_json: JsonOption = False,
) -> None:
    """Measure latency by length, lines per second, cold start and memory here: engines, threads and precisions side by side."""
    _check_usage(against, checkpoint, lines, png)
    if lines is None:
        check_no_file("--input", text_column, encoding)
    from sentiment_edge.benchmark.as_json import as_json
    from sentiment_edge.benchmark.run import run_benchmark
    from sentiment_edge.benchmark.text import text

    opened, request = _request(bundles or [], engines or [], threads or [], seconds)
    if lines is not None:
        request = request._replace(lines=_read_texts(lines, text_column, encoding))
    if against is not None:
        request = request._replace(torch=_load_torch(opened, checkpoint))
    report = run_benchmark(opened, request, TerminalProgress())
    typer.echo(as_json(report, lines) if print_json else text(report))
    if png is not None:
        from sentiment_edge.benchmark.picture import picture

        write_whole(png, picture(report))


def _check_usage(against: str | None, checkpoint: Path | None, lines: Path | None, png: Path | None) -> None:
    """Refuse now what would be refused after a minute, or would be regretted."""
    if checkpoint is not None and against is None:
        raise typer.BadParameter("--checkpoint goes with --against torch")
    if png is None:
        return
    if lines is not None and png.resolve() == lines.resolve():
        raise typer.BadParameter("--png would replace --input")
    from sentiment_edge.extras import needs_extra

    with needs_extra("plot"):
        import matplotlib.figure  # noqa: F401 - whether it is there
    check_writable(png)


def _request(
    roots: Sequence[Path], engines: Sequence[str], threads: Sequence[int], seconds: float
) -> tuple[list[Bundle], BenchmarkRequest]:
    """Return the opened bundles and the request, without torch."""
    from sentiment_edge.benchmark.run import BenchmarkRequest
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
    from sentiment_edge_runtimes.machine.threads import usable_cpus

    asked = one_of("engines", engines, ENGINE_CHOICES)
    opened = [Bundle.open(root) for root in roots or [DEFAULT_BUNDLE]]
    counts = tuple(dict.fromkeys(threads or (1, usable_cpus())))
    return opened, BenchmarkRequest(asked, counts, None, seconds)


def _read_texts(path: Path, column: str | None, encoding: str | None) -> tuple[str, ...]:
    from sentiment_edge.data.tables.record import ReadOptions
    from sentiment_edge.data.texts import read_own_texts

    return read_own_texts(path, column, TerminalProgress(), ReadOptions(encoding=encoding), most=_MOST_TEXTS)


def _load_torch(bundles: Sequence[Bundle], checkpoint: Path | None) -> TorchModel:
    from sentiment_edge.extras import needs_extra

    with needs_extra("export"):
        from sentiment_edge.benchmark.torch_baseline import load_torch_model
    return load_torch_model(bundles, checkpoint)
