"""`sentiment-edge verify`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from sentiment_edge.cli.common.options import JsonOption, ThreadsOption


def verify(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    engine: Annotated[
        Literal["auto", "onnxruntime", "openvino"], typer.Option(help="Which to check; every one that can run it without it.")
    ] = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a bundle's files, and that it gives here what it gave where it was built, and torch's answers (status 1 if not)."""
    from sentiment_edge.parity.as_json import bundle_json
    from sentiment_edge.parity.text import parity_table
    from sentiment_edge_runtimes.verification import verify as verify_bundle

    result = verify_bundle(bundle, engine=engine, threads=threads)
    if as_json:
        typer.echo(bundle_json(result.bundle, {"passed": result.passed, "conditions": [*map(asdict, result.conditions)]}))
    else:
        typer.echo(f"{bundle}: {len(result.bundle.manifest.files)} files intact\n{parity_table(result.conditions)}")
    for reason in result.refused:
        typer.echo(f"sentiment-edge: left out: {reason}", err=True)
    if not result.passed:
        typer.echo(f"sentiment-edge: {bundle}: {'; '.join(result.failures)}", err=True)
        raise typer.Exit(1)
