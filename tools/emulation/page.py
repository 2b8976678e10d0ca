"""The steps of a page of the documentation: the commands in its blocks, and what it says they print."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, cast

Machine = Literal["pc", "pi"]

_BLOCK = re.compile(r"^<!-- on the (pc|pi) -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = "$ "


class Step(NamedTuple):
    """One command."""

    machine: Machine
    command: str
    shown: tuple[str, ...]
    """The lines that the page shows below it."""

    @property
    def refused(self) -> str | None:
        """The error with which it is to fail; None if it is to succeed."""
        return next((line for line in self.shown if line.lower().startswith("error: ")), None)


def steps(page: str) -> list[Step]:
    """Return the commands of all blocks that a comment places on a machine, in their order."""
    found: list[Step] = []
    for machine, block in _BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith(_PROMPT):
                found.append(Step(cast("Machine", machine), line.removeprefix(_PROMPT), ()))
            else:
                found[-1] = found[-1]._replace(shown=(*found[-1].shown, line))
    return found
