"""The results of a run, and the table of several."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_SHOWN = ("numpy", "onnxruntime", "tokenizers", "typer")
_HEADINGS = ("where", "python", "architecture", *_SHOWN, "passed", "failed", "skipped", "seconds", "wheel", "remarks")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run."""

    where: str
    python: str = ""
    architecture: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: int = 0
    wheel: str = ""
    """Whether tools/check_wheel.sh passed; empty where it was not asked."""
    remarks: str = ""
    failures: tuple[str, ...] = ()
    could_run: bool = True

    @property
    def good(self) -> bool:
        """Whether nothing failed; what cannot be had here does not count."""
        return not self.could_run or (self.passed > 0 and not self.failures and not self.failed and self.wheel != "NO")


def read(where: str, folder: Path, *, may_lack: bool) -> Outcome:
    """Read what light_tests.sh left in a folder.

    Args:
        where: what the table calls it.
        folder: the folder.
        may_lack: that a dependency could not be installed is told, and no failure.
    """
    python, architecture = _text(folder, "python.txt").split()
    missing = _text(folder, "missing.txt").splitlines()
    remarks = f"could not install {', '.join(missing)}" if missing else ""
    if not (folder / "versions.json").exists():
        return Outcome(where, python, architecture, remarks=remarks, could_run=not may_lack)
    versions = {each["name"].lower(): each["version"] for each in json.loads(_text(folder, "versions.json"))}
    counts, failures = _tests(folder)
    if missing and not may_lack:
        failures += (remarks,)
    return Outcome(
        where,
        python,
        architecture,
        versions,
        *counts,
        seconds=int(_text(folder, "seconds.txt") or 0),
        wheel=_text(folder, "wheel.txt"),
        remarks=remarks,
        failures=failures,
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as lines of columns, and below them what failed."""
    rows = [_HEADINGS, *map(_cells, outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"{each.where}, Python {each.python}: {failure}" for each in outcomes for failure in each.failures]
    return "\n".join(lines)


def _cells(outcome: Outcome) -> Iterable[str]:
    system = outcome.where, outcome.python, outcome.architecture
    versions = [outcome.versions.get(name, "") for name in _SHOWN]
    counts = [outcome.passed, outcome.failed, outcome.skipped, outcome.seconds] if outcome.versions else [""] * 4
    return *system, *versions, *map(str, counts), outcome.wheel, outcome.remarks


def _tests(folder: Path) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    """Count the tests by result, and name those that failed, or the run itself if it ended badly all the same."""
    ended = [line for line in _text(folder, "tests.log").splitlines() if line.startswith("status ")]
    if not (folder / "tests.xml").exists():
        return (0, 0, 0), ("the tests did not run: see tests.log",)
    cases = list(ET.parse(folder / "tests.xml").iter("testcase"))  # noqa: S314 - pytest wrote it
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    named = [f"{case.get('classname')}::{case.get('name')}" for case in bad]
    return (len(cases) - len(bad) - skipped, len(bad), skipped), tuple(named or ended)


def _text(folder: Path, name: str) -> str:
    path = folder / name
    return path.read_text("utf-8").strip() if path.exists() else ""
