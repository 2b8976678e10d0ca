"""Reading a Dockerfile: the instructions that this project's has, not all that there are."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field


@dataclass
class Stage:
    """What one FROM begins."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    """Its RUN and COPY, in order."""
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    stop_signal: str = "SIGTERM"


def read_stages(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile.

    Raises:
        ValueError: it has an instruction that is not known here.
    """
    stages: list[Stage] = []
    for line in _instructions(text):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            words = rest.split()
            stages.append(Stage(words[0], words[-1]))
        else:
            _add(stages[-1], name, rest.strip())
    return stages


def _instructions(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [line for line in joined.splitlines() if line.strip()]


def _add(stage: Stage, name: str, rest: str) -> None:
    if name in {"RUN", "COPY"}:
        stage.steps.append((name, rest))
    elif name == "ENV":
        stage.environment |= dict(word.split("=", 1) for word in shlex.split(rest))
    elif name == "USER":
        stage.user = rest
    elif name == "ENTRYPOINT":
        stage.entrypoint = json.loads(rest)
    elif name == "HEALTHCHECK":
        stage.health = json.loads(rest.partition("CMD ")[2])
    elif name == "STOPSIGNAL":
        stage.stop_signal = rest
    elif name != "EXPOSE":
        raise ValueError(f"tools/container does not know {name}")
