"""The command line on a terminal of its own, and bundles whose names and labels a terminal would obey."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers.support import edit_manifest
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Sequence

EVIL = "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\u202e\u2066\r\b"
"""What clears a screen, names the window, colours, turns text round, and writes over what was there."""
EVIL_LABELS = (f"[/b]{EVIL}\ud800$x$", f"[positive]\n:smile:{EVIL}")
EVIL_NAME = EVIL.replace("\r", "\n")
"""For a file: systems forbid only the slash and NUL."""
_HANGS = 600
"""Seconds after which a command is taken to hang."""
_NEWLINES = re.compile("\r*\n")


def on_terminal(*arguments: str | Path, **variables: str) -> tuple[int, str]:
    """Run `sentiment-edge` with output and messages on a terminal without colours; return its status and what it wrote."""
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()
    program = [sys.executable, "-m", "sentiment_edge", *map(str, arguments)]
    environment = {**os.environ, "TERM": "dumb", "PYTHONWARNINGS": "error", **variables}
    with subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        shown = _read(controller)
        status = process.wait(_HANGS)
    os.close(controller)
    return status, _NEWLINES.sub("\n", shown.decode())


def obeyed(shown: str) -> str:
    """Return the characters that a terminal does not merely show."""
    return "".join(sorted({character for character in shown if character != "\n" and not character.isprintable()}))


def evil_bundle(folder: Path, labels: Sequence[str] = EVIL_LABELS, **changes: object) -> Path:
    """Put a copy of the default bundle into a folder, under such a name and with such labels."""
    bundle = Path(shutil.copytree(DEFAULT_BUNDLE, folder / f"bundle{EVIL_NAME}"))
    edit_manifest(bundle, labels=list(labels), **changes)
    return bundle


def _read(controller: int) -> bytes:
    shown = b""
    try:
        while block := os.read(controller, 2**16):
            shown += block
    except OSError:  # Linux says so when the last writer has closed it
        pass
    return shown
