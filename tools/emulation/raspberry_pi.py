"""Run the steps of docs/raspberry-pi.md as they stand, those of the Pi in an emulated 64-bit Debian with PyPI's wheels."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.emulation.board import CORES, Board, missing
from tools.emulation.cpus import missing_tools
from tools.emulation.page import Step, steps
from tools.steps import REPOSITORY

_PAGE = REPOSITORY / "docs/raspberry-pi.md"


def main() -> int:
    """Set up, run every step, print what it printed; return 1 if one ends otherwise than the page says."""
    parser = argparse.ArgumentParser(prog="raspberry-pi", description=__doc__)
    parser.add_argument("--cpu", choices=CORES, default="cortex-a72", help="the core (default: cortex-a72, a Raspberry Pi 4's)")
    parser.add_argument("--cache", type=Path, default=REPOSITORY / "build/emulation", help="where downloads are kept")
    options = parser.parse_args()
    if problem := missing_tools() or missing():
        sys.stderr.write(f"raspberry-pi: {problem}\n")
        return 1
    board = Board(options.cache.resolve(), options.cpu)
    board.set_up()
    failed = 0
    with tempfile.TemporaryDirectory() as pc:
        session: list[str] = []
        for step in steps(_PAGE.read_text("utf-8")):
            failed += not _passes(step, board, Path(pc), session)
    sys.stdout.write(f"{failed or 'no'} step{'s' * (failed != 1)} failed\n")
    return 1 if failed else 0


def _passes(step: Step, board: Board, pc: Path, session: list[str]) -> bool:
    """Run a step and print what it printed.

    Args:
        step: the step.
        board: the Pi.
        pc: the folder in which those of the PC run.
        session: what must be said again in each shell of the Pi.
    """
    start = time.perf_counter()
    status, printed = _on_pc(step.command, board, pc) if step.machine == "pc" else _on_pi(step.command, board, session)
    ended = f"[status {status}, {time.perf_counter() - start:.0f} s]"
    sys.stdout.write("\n".join(filter(None, (f"{step.machine}$ {step.command}", printed.rstrip(), ended))) + "\n\n")
    sys.stdout.flush()
    return step.refused in printed.splitlines() and status != 0 if step.refused else status == 0


def _on_pc(command: str, board: Board, pc: Path) -> tuple[int, str]:
    words = shlex.split(command)
    if words[:2] == ["scp", "-r"]:  # there is no network to the Pi: the folder is copied
        shutil.copytree(pc / words[2], board.home / words[2])
        return 0, ""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    variables = os.environ | {"PATH": path}
    printed, both = subprocess.PIPE, subprocess.STDOUT
    done = subprocess.run(["sh", "-c", command], cwd=pc, env=variables, stdout=printed, stderr=both, text=True, check=False)
    return done.returncode, done.stdout


def _on_pi(command: str, board: Board, session: list[str]) -> tuple[int, str]:
    """Run a command in a shell of its own, to which is said first what changes a shell itself."""
    done = board.run("\n".join([*session, command]))
    if command.startswith((". ", "cd ", "export ")):
        session.append(command)
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main())
