"""`sentiment-edge bench`."""

from __future__ import annotations

import math
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from sentiment_edge.cli.common.options import JsonOption, one_of
from sentiment_edge.cli.common.output import check_writable, write_whole
from sentiment_edge.cli.common.terminal import shows_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge.benchmark.run import Report, Wishes
    from sentiment_edge.benchmark.torch_baseline import TorchModel
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.vocabulary import EngineChoice

_MOST_LINES = 100_000
"""Of a file; more would not be measured in any reasonable time."""


def bench(
    bundles: Annotated[
        list[Path] | None, typer.Argument(metavar="[BUNDLE]...", help="Folders of bundles; the built-in default without any.")
    ] = None,
    engines: Annotated[
        list[str] | None,  # typer takes no list of Literal
        typer.Option(
            "--engine",
            metavar="auto|onnxruntime|openvino",
            help="Engine to measure; repeatable. Every one that can run the bundle without it.",
        ),
    ] = None,
    threads: Annotated[
        list[int] | None, typer.Option(min=1, help="CPU threads to use; repeatable. 1, and all usable CPUs, without it.")
    ] = None,
    lines: Annotated[
        Path | None,
        typer.Option("--input", exists=True, dir_okay=False, readable=True, help="Real lines; the bundle's own without it."),
    ] = None,
    against: Annotated[Literal["torch"] | None, typer.Option(help="Measure the original model too.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Folder of the original model, where its name is not enough.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="What all of it may take, about.")] = 60,
    png: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a picture.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure here: latency by length, lines per second, cold start, memory; engines, threads and precisions side by side."""
    if checkpoint is not None and against is None:
        raise typer.BadParameter("--checkpoint goes with --against torch")
    if math.isnan(seconds):
        raise typer.BadParameter("--seconds is a number")
    if png is not None:
        _check_picture(png, lines)
    from sentiment_edge.benchmark.run import Wishes
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
    from sentiment_edge_runtimes.machine.threads import usable_cpus

    asked = _engines(engines or [])
    opened = [Bundle.open(root) for root in bundles or [DEFAULT_BUNDLE]]
    counts = tuple(dict.fromkeys(threads or (1, usable_cpus())))
    texts = None if lines is None else _read(lines)
    torch = None if against is None else _load_torch(opened, checkpoint)
    report = _measure(opened, Wishes(asked, counts, texts, seconds, torch))
    typer.echo(_as_object(report, lines) if as_json else _as_text(report))
    if png is not None:
        from sentiment_edge.benchmark.picture import picture

        write_whole(png, picture(report))


def _measure(bundles: Sequence[Bundle], wishes: Wishes) -> Report:
    from sentiment_edge.benchmark.run import Listener, bench

    def say(remark: str) -> None:
        typer.echo(f"sentiment-edge: {remark}", err=True)

    def show(stage: str) -> None:
        if shows_progress():
            typer.echo(f"{stage} ...", err=True)

    return bench(bundles, wishes, Listener(say, show))


def _as_object(report: Report, lines: Path | None) -> str:
    from sentiment_edge.benchmark.as_json import bench_json

    return bench_json(report, lines)


def _as_text(report: Report) -> str:
    from sentiment_edge.benchmark.text import tables

    return tables(report)


def _check_picture(path: Path, lines: Path | None) -> None:
    """Refuse now what would be found out after a minute, or would be regretted."""
    if lines is not None and path.resolve() == lines.resolve():
        raise typer.BadParameter("--png would replace --input")
    from sentiment_edge.extras import needs_extra

    with needs_extra("plot"):
        import matplotlib.figure  # noqa: F401 - whether it is there
    check_writable(path)


def _engines(names: Sequence[str]) -> tuple[EngineChoice, ...]:
    from sentiment_edge_runtimes.vocabulary import EngineChoice

    return one_of("--engine", names, get_args(EngineChoice))


def _read(path: Path) -> tuple[str, ...]:
    """Return the lines that are not blank.

    Raises:
        InputError: there are none.
    """
    from sentiment_edge.data.lines import read_lines
    from sentiment_edge_runtimes.errors import InputError

    texts = chain.from_iterable(block.texts for block in read_lines([path]))
    kept = tuple(islice((text for text in texts if text.strip()), _MOST_LINES))
    if not kept:
        raise InputError(f"{path}: no lines with text in it")
    return kept


def _load_torch(bundles: Sequence[Bundle], checkpoint: Path | None) -> TorchModel:
    from sentiment_edge.extras import needs_extra

    with needs_extra("export"):
        from sentiment_edge.benchmark.torch_baseline import load_torch_model
    return load_torch_model(bundles, checkpoint)
