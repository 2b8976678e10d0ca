"""`sentiment-edge verify`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sentiment_edge.cli.common.options import JsonOption, ThreadsOption
from sentiment_edge.cli.common.terminal import warn
from sentiment_edge.render.text import visible
from sentiment_edge_runtimes.vocabulary import EngineChoice


def verify(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    engine: Annotated[EngineChoice, typer.Option(help="Engine to check; auto checks every one that can run it.")] = "auto",
    threads: ThreadsOption = None,
    print_json: JsonOption = False,
) -> None:
    """Check a bundle's files, and that it gives the answers it gave where it was built, and torch's (status 1 if not)."""
    from sentiment_edge.parity.as_json import as_json
    from sentiment_edge.parity.text import text
    from sentiment_edge_runtimes import verification

    result = verification.verify(bundle, engine=engine, threads=threads)
    if print_json:
        typer.echo(as_json(result.bundle, {"passed": result.passed, "conditions": [*map(asdict, result.conditions)]}))
    else:
        typer.echo(f"{visible(str(bundle))}: {len(result.bundle.manifest.files)} files intact\n{text(result.conditions)}")
    for reason in result.refused:
        warn(f"left out: {reason}")
    if not result.passed:
        warn(f"{bundle}: {'; '.join(result.failures)}")
        raise typer.Exit(1)
