"""Run the light tests against the built wheel: each Python, the oldest dependencies, 64-bit Arm; whatever can be had here."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from tools.container.building import Builder
from tools.pythons.outcome import Outcome, read, table
from tools.pythons.places import Arm, Debian, Here, pythons_here
from tools.pythons.requirements import light_requirements, minimums
from tools.steps import REPOSITORY, build_wheel, read_project

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from tools.pythons.places import Place

_PARTS = ("here", "debian", "minimum", "arm64")
_BUILD = REPOSITORY / "build"
_SUITES = ("trixie", "testing")
"""Debian's, each with the Python that is its own."""
_EMULATED = "tests/runtimes", {"hypothesis", "pytest"}
"""The tests that an emulator runs, as all of them take it hours, and the requirements that it installs for them."""
_SCRIPT = """
"$PYTHON" -c 'import platform; print(platform.python_version(), platform.machine())' > "$FOLDER/python.txt"
sh "$REPOSITORY/tools/pythons/light_tests.sh" "$REPOSITORY" "$FOLDER" {tests}
if [ ! -e "$FOLDER/versions.json" ]; then exit 0; fi
result=NO
if sh "$REPOSITORY/tools/check_wheel.sh" "$FOLDER"/wheel/*.whl > "$FOLDER/wheel.log" 2>&1; then result=yes; fi
echo $result > "$FOLDER/wheel.txt"
"""
"""Run in every place; tools/check_wheel.sh makes environments of its own, with the versions of constraints.txt."""


@dataclass(frozen=True, slots=True)
class Task:
    """A run to make."""

    place: Place
    constraints: list[str]
    requirements: list[str]
    """Besides those of the wheel."""
    tests: str = "tests"
    may_lack: bool = False
    """Whether a dependency may have no wheel there."""


def main() -> int:
    """Print the table; return 1 if something failed."""
    parser = argparse.ArgumentParser(prog="pythons", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=_PARTS, metavar="PART", help=f"of {', '.join(_PARTS)} (default: all)")
    parts = parser.parse_args().parts or _PARTS
    folder = _BUILD / "pythons"
    wheel = build_wheel(folder / "wheel")
    outcomes = [_carry_out(task, folder / f"run-{number}", wheel) for number, task in enumerate(_tasks(parts))]
    print(table(outcomes))
    return 0 if all(outcome.good for outcome in outcomes) else 1


def _tasks(parts: Collection[str]) -> Iterator[Task]:
    pinned = (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines()
    needed = light_requirements()
    if "here" in parts:
        yield from (Task(place, pinned, needed, may_lack=place.python != sys.executable) for place in pythons_here())
    if "debian" in parts:
        builder = Builder(_BUILD / "pythons")
        yield from (Task(Debian(f"Debian {suite}", suite, builder), pinned, needed, may_lack=True) for suite in _SUITES)
    if "minimum" in parts:
        oldest = minimums([*read_project()["project"]["dependencies"], *needed])
        yield Task(Here("here, oldest dependencies", sys.executable), oldest, needed)
    if "arm64" in parts:
        few = [each for each in needed if Requirement(each).name in _EMULATED[1]]
        yield Task(Arm("emulated Debian", _BUILD / "emulation"), pinned, few, _EMULATED[0])


def _carry_out(task: Task, folder: Path, wheel: Path) -> Outcome:
    if missing := task.place.missing():
        return Outcome(task.place.name, remarks=missing, could_run=False)
    sys.stderr.write(f"pythons: {task.place.name}\n")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(wheel.parent, folder / "wheel")
    for name, lines in (("requirements.txt", task.requirements), ("constraints.txt", task.constraints)):
        (folder / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return read(task.place.name, task.place.run(folder, _SCRIPT.format(tests=task.tests)), may_lack=task.may_lack)


if __name__ == "__main__":
    sys.exit(main())
