"""The outcome of each input, and what goes between the harness and its worker processes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from tools.hostile.reader import Entry


@dataclass(frozen=True, slots=True)
class Task:
    """Inputs of one reader for a worker process, by their numbers."""

    name: str
    module: str
    seed: int
    start: int
    stop: int
    seconds: int
    """CPU time for one input."""
    memory: int
    """Bytes of address space that the inputs may take beyond what the process has when it starts on them."""
    keep: str | None
    """The folder for inputs that failed."""

    def line(self) -> str:
        """Return the task as a line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def of_line(cls, line: str) -> Task:
        """Return the task that a line says."""
        return cls(**json.loads(line))

    def kept(self, number: int) -> Path | None:
        """Return the folder to keep an input in; None if none is kept."""
        from pathlib import Path  # noqa: PLC0415 - needed for this only

        words = "-".join("".join(letter if letter.isalnum() else " " for letter in self.name).split())
        return None if self.keep is None else Path(self.keep) / f"{words}-{self.seed}-{number}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of a worker process: it starts on an input, or ends one."""

    number: int
    kind: Literal["started", "succeeded", "refused", "failed"]
    problem: str = ""
    """One line that is the same for failures of the same cause."""
    detail: str = ""
    """The end of the traceback, or of what was written to stderr."""

    def line(self) -> str:
        """Return the reply as a line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def of_line(cls, line: str | bytes) -> Reply:
        """Return the reply that a line says."""
        return cls(**json.loads(line))


@dataclass(slots=True)
class Tally:
    """The outcomes of one reader's inputs."""

    entry: Entry
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[Reply] = field(default_factory=list)

    def add(self, reply: Reply) -> None:
        """Count an input that has ended."""
        self.counts[reply.kind] += 1
        if reply.kind == "failed":
            self.failures.append(reply)
