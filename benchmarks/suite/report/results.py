"""The results of one run, and the small file that keeps them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    Spread = tuple[float, float, float]
    """First quartile, median, third quartile."""
    Ratios = dict[str, dict[str, Spread]]

FIRST_ANSWER, PEAK_MEMORY, MODEL_FILES, INSTALLED = "first answer", "peak memory", "model's files", "installed"
MEMORY_TO_FILES = "memory to files"
_DIGITS = 4


@dataclass
class Measured:
    """One measure of a subject."""

    figures: dict[str, float]
    """Of each contestant, less being better: seconds per batch or text, seconds, bytes."""
    ratios: Ratios
    """For each of ours and each other contestant: how many times ours the other's figure is, in rounds of one run."""


@dataclass
class Measurements:
    """All of one subject."""

    title: str
    auto: str = ""
    """The engine that `auto` chooses here."""
    left_out: list[str] = field(default_factory=list)
    """What was not measured, and why."""
    latency: dict[str, Measured] = field(default_factory=dict)
    """By shape: texts x tokens."""
    bulk: dict[str, Measured] = field(default_factory=dict)
    """By data set."""
    other: dict[str, Measured] = field(default_factory=dict)
    """First answer, memory, sizes."""
    accuracy: dict[str, float] = field(default_factory=dict)
    accuracy_on: str = ""

    def all(self) -> dict[str, Measured]:
        """Return every measure by its name."""
        return {**self.latency, **self.bulk, **self.other}


@dataclass
class Results:
    """One run."""

    date: str
    cpu: str
    kind: str
    """How the CPU multiplies int8, such as `x86 with AMX`."""
    features: list[str]
    cores: int
    threads: int
    load: float | None
    """Processes that were running on average in the minute before; None if nobody noted it."""
    rounds: int
    versions: dict[str, str]
    subjects: dict[str, Measurements]


def read_results(path: Path) -> Results:
    """Read a file that `write_results` wrote."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    subjects = {key: _measurements(each) for key, each in stored.pop("subjects").items()}
    return Results(**stored, subjects=subjects)


def write_results(results: Results, path: Path) -> None:
    """Write a file that people can read: each group of figures is one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_text(asdict(results)) + "\n", encoding="utf-8", newline="\n")


def _measurements(stored: dict[str, Any]) -> Measurements:
    for group in ("latency", "bulk", "other"):
        stored[group] = {name: Measured(each["figures"], each["ratios"]) for name, each in stored[group].items()}
    return Measurements(**stored)


def _text(value: Any, indent: int = 0) -> str:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(value, dict) or not any(isinstance(each, dict) for each in value.values()):
        return json.dumps(_rounded(value), ensure_ascii=False)
    inner = " " * (indent + 1)
    lines = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_text(each, indent + 1)}" for key, each in value.items()]
    return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"


def _rounded(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value
