"""`sentiment-edge models`."""

from __future__ import annotations

import json

import typer

from sentiment_edge.cli.options import JsonOption


def models(as_json: JsonOption = False) -> None:
    """List what can be exported by name, where it comes from, and its licence."""
    from sentiment_edge_export.catalog import KNOWN_MODELS

    known = list(KNOWN_MODELS.values())
    if as_json:
        fields = ("name", "family", "hub_id", "licence", "about")
        typer.echo(json.dumps([{field: getattr(model, field) for field in fields} for model in known], indent=2))
        return
    rows = [(model.name, model.family, model.hub_id or "in this package", model.licence, model.about) for model in known]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
