"""What all tests share. Nothing here imports torch: light tests run without it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers.support import SHARED, Command
from hypothesis import HealthCheck, settings

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE, Classifier, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Torch's threads wait awake for each other; where the machine has other work too, that takes many times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# A shell starts programs in the background so that they ignore an interrupt, and what they start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test may fail because the machine is slow.
HANGS = 600
"""Seconds after which a process is taken to hang."""
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_report_header() -> str:
    def found(name: str) -> str:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            return f"no {name}"

    return ", ".join(map(found, ("numpy", "onnxruntime", "openvino", "tokenizers", "typer", "torch", "onnx", "onnxscript")))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what engines remember out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def command() -> Command:
    def run(*arguments: str | Path, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
        program = [sys.executable, "-m", "sentiment_edge", *map(str, arguments)]
        return subprocess.run(program, input=stdin, capture_output=True, check=False, timeout=HANGS, **options)

    return run


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """Give the path of a file of the shared data, or skip the test where it is absent."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"needs ../shared/{name}")
        return path

    return find


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return load()


@pytest.fixture
def bundle_folder(tmp_path: Path) -> Path:
    """A copy of the default bundle, to damage."""
    return Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "bundle"))
