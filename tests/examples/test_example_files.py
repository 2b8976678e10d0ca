"""The examples as files: short, and in the list."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(path for path in FOLDER.iterdir() if path.suffix in {".py", ".service"})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_and_listed(example: Path) -> None:
    assert len(example.read_text("utf-8").splitlines()) < 80
    assert f"| [{example.name}]({example.name}) |" in (FOLDER / "README.md").read_text("utf-8")


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze, of Debian's package systemd")
    unit = (FOLDER / "mqtt-mood.service").read_text("utf-8")
    assert "/opt/mood/bin/python" in unit
    copy = tmp_path / "mqtt-mood.service"
    copy.write_text(unit.replace("/opt/mood/bin/python", sys.executable), "utf-8")  # systemd looks whether it is there
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if copy.name in line]) == (0, [])
