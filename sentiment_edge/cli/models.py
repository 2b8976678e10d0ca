"""`sentiment-edge models`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentiment_edge.cli.common.options import JsonOption
from sentiment_edge.render.json_text import json_text
from sentiment_edge.render.text import aligned


def models(
    inspect: Annotated[
        Path | None, typer.Option(metavar="FILE", help="List the tensors in a file of a checkpoint instead.")
    ] = None,
    print_json: JsonOption = False,
) -> None:
    """List the models that can be exported by name, each with its source and licence."""
    typer.echo(_known_models(print_json=print_json) if inspect is None else _tensors(inspect, print_json=print_json))


def _known_models(*, print_json: bool) -> str:
    from sentiment_edge_export.checkpoints.catalog import KNOWN_MODELS

    known = KNOWN_MODELS.values()
    if print_json:
        fields = ("name", "family", "hub_id", "licence", "about")
        return json_text([{field: getattr(model, field) for field in fields} for model in known])
    rows = [(model.name, model.family, model.hub_id or "in this package", model.licence, model.about) for model in known]
    return aligned(rows, left=5)


def _tensors(path: Path, *, print_json: bool) -> str:
    from sentiment_edge.extras import needs_extra

    with needs_extra("export"):
        from sentiment_edge_export.checkpoints.inspection import list_tensors
    tensors = list_tensors(path)
    if print_json:
        return json_text([tensor._asdict() for tensor in tensors])
    rows = [(tensor.name, tensor.dtype, " x ".join(map(str, tensor.shape)) or "scalar") for tensor in tensors]
    return aligned(rows, left=3)
