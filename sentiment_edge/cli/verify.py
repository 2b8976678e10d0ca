"""`sentiment-edge verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sentiment_edge.cli.options import JsonOption, ThreadsOption


def verify(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a bundle's files, and that it gives on this machine what it gave when it was built (status 1 when not)."""
    from sentiment_edge.cli.parity_table import bundle_json, parity_table
    from sentiment_edge_runtimes.verification import verify as verify_bundle

    result = verify_bundle(bundle, threads=threads)
    if as_json:
        answer = bundle_json(result.bundle, [result.condition], passed=result.passed)
        typer.echo(json.dumps(answer, indent=2))
    else:
        typer.echo(f"{bundle}: {len(result.bundle.files)} files intact\n{parity_table([result.condition])}")
    if not result.passed:
        typer.echo(f"sentiment-edge: {bundle}: other answers here than where it was built", err=True)
        raise typer.Exit(1)
