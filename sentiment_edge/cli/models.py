"""`sentiment-edge models`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.common.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence


def models(
    inspect: Annotated[
        Path | None, typer.Option(metavar="FILE", help="List the tensors of a checkpoint's file instead.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what can be exported by name, where it comes from, and its licence."""
    if inspect is not None:
        _print_tensors(inspect, as_json=as_json)
        return
    from sentiment_edge_export.checkpoints.catalog import KNOWN_MODELS

    known = list(KNOWN_MODELS.values())
    if as_json:
        fields = ("name", "family", "hub_id", "licence", "about")
        typer.echo(json.dumps([{field: getattr(model, field) for field in fields} for model in known], indent=2))
        return
    _print_table([(model.name, model.family, model.hub_id or "in this package", model.licence, model.about) for model in known])


def _print_tensors(path: Path, *, as_json: bool) -> None:
    from sentiment_edge.extras import needs_extra

    with needs_extra("export"):
        from sentiment_edge_export.checkpoints.inspection import list_tensors
    tensors = list_tensors(path)
    if as_json:
        typer.echo(json.dumps([tensor._asdict() for tensor in tensors], indent=2))
        return
    names = [tensor.name if tensor.name.isprintable() else ascii(tensor.name) for tensor in tensors]
    shapes = [" x ".join(map(str, tensor.shape)) or "scalar" for tensor in tensors]
    _print_table(list(zip(names, (tensor.dtype for tensor in tensors), shapes, strict=True)))


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
