"""The command line in this process: one of its own would take seconds to import torch."""

from __future__ import annotations

import signal
from subprocess import CompletedProcess
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from sentiment_edge.cli import app

if TYPE_CHECKING:
    from pathlib import Path


def invoke(*arguments: str | Path, stdin: bytes = b"") -> CompletedProcess[bytes]:
    """Run `sentiment-edge` as a process would, and give back the signals that `export` takes. A crash is raised here."""
    program = [*map(str, arguments)]
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    try:
        done = CliRunner().invoke(app, program, input=stdin, catch_exceptions=False, prog_name="sentiment-edge")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return CompletedProcess(program, done.exit_code, done.stdout_bytes, done.stderr_bytes)
