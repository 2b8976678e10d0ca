"""`sentiment-edge doctor`."""

from __future__ import annotations

import typer

from sentiment_edge.cli.common.options import BundleArgument, JsonOption
from sentiment_edge.cli.common.terminal import warn


def doctor(bundle: BundleArgument = None, print_json: JsonOption = False) -> None:
    """Show what this machine has, which engine runs a bundle on it, and why (status 1 if none can)."""
    from sentiment_edge.diagnosis.as_json import as_json
    from sentiment_edge.diagnosis.engine import diagnose
    from sentiment_edge.diagnosis.machine import examine
    from sentiment_edge.diagnosis.text import text
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

    opened = Bundle.open(bundle or DEFAULT_BUNDLE)
    machine = examine()
    diagnosis = diagnose(opened, machine.usable_cpus)
    typer.echo((as_json if print_json else text)(machine, diagnosis))
    if diagnosis.problem is not None:
        warn(diagnosis.problem)
        raise typer.Exit(1)
