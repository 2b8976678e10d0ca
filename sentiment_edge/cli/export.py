"""`sentiment-edge export`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sentiment_edge.cli.options import JsonOption

if TYPE_CHECKING:
    from sentiment_edge.export import ExportReport


def export(
    model: Annotated[str, typer.Option(help="A name from `models`, a folder, or a Hub id (owner/name).")],
    int8: Annotated[bool, typer.Option("--int8", help="Quantize to int8; fp32 without it.")] = False,
    output: Annotated[Path | None, typer.Option(help="Folder to write; ./NAME-PRECISION without it.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a bundle that is there.")] = False,
    checkpoint: Annotated[Path | None, typer.Option(help="Take the model's files from this folder.")] = None,
    padding: Annotated[
        Literal["packed", "padded"], typer.Option(help="GRU: padding invisible to the model, or read as in training.")
    ] = "packed",
    offline: Annotated[bool, typer.Option("--offline", help="Use only what is on this machine.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Turn a trained checkpoint into a bundle, proven to give torch's answers (status 3 when it does not)."""
    from sentiment_edge.cli.bundle_json import bundle_json
    from sentiment_edge.export import export_model

    _stop_on_signals()
    report = export_model(
        model,
        precision="int8" if int8 else "fp32",
        output=output,
        overwrite=overwrite,
        checkpoint=checkpoint,
        padding=padding,
        offline=offline,
        progress=_show_stage,
    )
    typer.echo(bundle_json(report.bundle, report.parity.summary()) if as_json else _as_text(report))


def _show_stage(stage: str) -> None:
    if sys.stderr.isatty():
        typer.echo(f"{stage} ...", err=True)


def _stop_on_signals() -> None:
    """Make the signals that end a process unwind it first, so that nothing is left behind."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))


def _as_text(report: ExportReport) -> str:
    from sentiment_edge.cli.parity_table import parity_table

    bundle = report.bundle
    size = sum(bundle.files.values()) / 1e6
    counted = ", ".join(f"{count} {kind}" for kind, count in bundle.nodes.items())
    return (
        f"{parity_table(report.parity.conditions)}\n"
        f"alone or in any batch: logits differ by at most {report.parity.batch_difference:.2g}\n"
        f"{bundle.root}: {bundle.precision}, {size:.1f} MB, nodes: {counted}"
    )
