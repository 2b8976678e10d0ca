"""The commands of a block for the shell, and what the page shows below each."""

from __future__ import annotations

import re
import subprocess
from typing import NamedTuple

_UNFINISHED = re.compile(r"unexpected EOF|unexpected end of file|delimited by end-of-file")
_PROMPT = "$ "


class Command(NamedTuple):
    """One command, of one or more lines."""

    line: int
    """The line of the page that it begins in."""
    text: str
    shown: str
    """The output that the page shows; empty where it shows none."""


def commands(source: str, line: int, *, prompts: bool) -> tuple[list[Command], list[str]]:
    """Return the commands of a block, and what is wrong with them.

    Args:
        source: the block.
        line: the line of the page before its first.
        prompts: whether each command follows a prompt; if not, every line is of a command.
    """
    found: list[Command] = []
    faults = []
    waiting = False
    for number, text in enumerate(source.splitlines(), line + 1):
        if waiting:
            found[-1] = found[-1]._replace(text=f"{found[-1].text}\n{text}")
        elif text.startswith(_PROMPT) or not prompts:
            if prompts or (text.strip() and not text.startswith("#")):
                found.append(Command(number, text.removeprefix(_PROMPT) if prompts else text, ""))
        elif found:
            found[-1] = found[-1]._replace(shown=f"{found[-1].shown}{text}\n")
            continue
        else:
            faults.append(f"line {number} is output without a command: {text}")
        waiting = bool(found) and _is_unfinished(found[-1].text)
    return found, faults + [fault for command in found if (fault := _syntax(command))]


def _is_unfinished(text: str) -> bool:
    return text.endswith("\\") or bool(_UNFINISHED.search(_bash(text)))


def _syntax(command: Command) -> str:
    said = _bash(command.text)
    return f"line {command.line}: {said.strip()}" if said else ""


def _bash(text: str) -> str:
    """Return what the shell says against the syntax."""
    return subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False).stderr
