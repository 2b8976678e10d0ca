"""`sentiment-edge doctor`."""

from __future__ import annotations

import typer

from sentiment_edge.cli.common.options import BundleArgument, JsonOption


def doctor(bundle: BundleArgument = None, as_json: JsonOption = False) -> None:
    """Say what this machine has, which engine runs a bundle on it, and why (status 1 if none can)."""
    from sentiment_edge.diagnosis.engine import diagnose
    from sentiment_edge.diagnosis.machine import examine
    from sentiment_edge.diagnosis.text import as_object, as_text
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

    opened = Bundle.open(bundle or DEFAULT_BUNDLE)
    machine = examine()
    diagnosis = diagnose(opened, machine.usable_cpus)
    typer.echo(as_object(machine, diagnosis) if as_json else as_text(machine, diagnosis))
    if diagnosis.problem is not None:
        typer.echo(f"sentiment-edge: {diagnosis.problem}", err=True)
        raise typer.Exit(1)
