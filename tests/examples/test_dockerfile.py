"""The Dockerfile: what `make container` reads from it, and its health check."""

from __future__ import annotations

import subprocess
import sys

import pytest
from helpers.running_server import Running

from tools.container.dockerfile import Stage, read_stages
from tools.lean_install import REPOSITORY, pruning


@pytest.fixture
def image() -> Stage:
    return read_stages((REPOSITORY / "Dockerfile").read_text("utf-8"))[-1]


def test_the_server_is_no_root_and_ends_by_the_signal_that_it_knows(image: Stage) -> None:
    user, _, group = image.user.partition(":")
    assert int(user) > 0 and int(group) > 0
    assert image.entrypoint[:2] == ["sentiment-edge", "serve"]
    assert image.stop_signal == "SIGTERM"


def test_the_health_check_passes_while_the_server_answers(image: Stage) -> None:
    python, *arguments = image.health
    assert python == "python"
    server = Running()
    check = [sys.executable, *(argument.replace("8000", str(server.port)) for argument in arguments)]
    assert subprocess.run(check, check=False).returncode == 0
    server.stop()
    assert subprocess.run(check, check=False, capture_output=True).returncode != 0


def test_the_lean_image_loses_what_the_page_removes_and_keeps_its_command_line() -> None:
    assert "rm onnxruntime/capi/libonnxruntime.so.*" in pruning().splitlines()
    assert "sentiment_edge_export" not in {line.split()[-1] for line in pruning().splitlines()}


def test_an_instruction_that_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match="does not know VOLUME"):
        read_stages("FROM a\nVOLUME /data\n")
