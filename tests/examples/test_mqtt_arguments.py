"""Arguments that examples/mqtt_service.py cannot work with are refused in one line, before the model is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt", reason="needs paho-mqtt, of the extra test")

EXAMPLE = Path(__file__).parents[2] / "examples/mqtt_service.py"


@pytest.mark.parametrize(
    ("port", "labels", "said"),
    [
        *((port, "labels", f"{port!r} is no port: give a number from 1 to 65535") for port in ("mqtt", "0", "65536", "-1", "")),
        *(("1883", topic, f"{topic!r} is no topic to publish to: ") for topic in ("labels/#", "a/+/b", "")),
    ],
)
def test_wrong_arguments(port: str, labels: str, said: str) -> None:
    program = [sys.executable, str(EXAMPLE), "localhost", port, "reviews", labels]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(said)
