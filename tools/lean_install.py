"""Run the recipe of docs/lean-install.md as the page has it, in a new folder, with the wheel in `dist`: `make lean-install`."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
_LIMIT = 95
"""Megabytes that the environment may have in the end: the four packages, and what venv makes of its own."""
_START = "from sentiment_edge import load; load()('I loved it.')"
_RUNS = 5


def blocks() -> list[str]:
    """Return the page's blocks of shell commands, in order."""
    page = (REPOSITORY / "docs/lean-install.md").read_text("utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def pruning() -> str:
    """Return the page's commands that remove files and leave the command line, for a shell in the folder of the packages."""
    removing = [line for block in blocks() for line in block.splitlines() if line.startswith(("rm ", "find "))]
    return "\n".join(line for line in removing if line != "rm -r sentiment_edge_export")


def main() -> int:
    """Run the blocks as one script, and a start with and without byte code; return 1 if a step fails or too much is left."""
    (wheel,) = (REPOSITORY / "dist").glob("*.whl")
    here = {"PIP_FIND_LINKS": str(wheel.parent), "PIP_CONSTRAINT": str(REPOSITORY / "constraints.txt")}
    with tempfile.TemporaryDirectory() as folder:
        script = ["sh", "-eu", "-c", "\n".join(blocks())]
        done = subprocess.run(script, cwd=folder, env=os.environ | here, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, end="")
        sizes = re.findall(r"^([\d.]+) MB\n", done.stdout, re.MULTILINE)
        if done.returncode or float(sizes[-2]) > _LIMIT:  # the last is the size with byte code
            print(f"lean-install: status {done.returncode}, {sizes} MB, at most {_LIMIT} allowed", file=sys.stderr)
            return 1
        _report_starts(Path(folder, "lean"))
    return 0


def _report_starts(environment: Path) -> None:
    """Print how long a first answer takes with the byte code that the recipe's end has written, and without."""
    compiled = _cpu_seconds(environment)
    for path in environment.rglob("*.pyc"):
        path.unlink()
    plain = _cpu_seconds(environment)
    print(f"from the start to a first answer: {plain:.2f} s of CPU time without byte code, {compiled:.2f} s with it")


def _cpu_seconds(environment: Path) -> float:
    """Return the least CPU time of a few starts."""
    taken = []
    for _ in range(_RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([environment / "bin/python", "-B", "-c", _START], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


if __name__ == "__main__":
    sys.exit(main())
