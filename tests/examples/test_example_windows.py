"""The windows of examples/tk_window.py and examples/pyside6_window.py, typed into by key events."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge import Classifier

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HANGS = 300
"""Seconds after which a window is taken to never show what it should."""
TEXTS = ("I loved it.", "What a dreadful waste of time!", "An honest and tender film")


@contextmanager
def x_server() -> Iterator[dict[str, str]]:
    """Start an X server without a screen, and give the environment of its programs."""
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb, of Debian's package xvfb")
    reading, writing = os.pipe()
    options = ["-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    server = subprocess.Popen(["Xvfb", *options], pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as display:
            yield {"DISPLAY": f":{display.readline().strip()}"}
    finally:
        server.terminate()
        server.wait()


@pytest.mark.parametrize("texts", [TEXTS, ()], ids=["typed", "closed while it loads"])
def test_tk_shows_the_mood_of_what_is_typed(classifier: Classifier, texts: tuple[str, ...]) -> None:
    pytest.importorskip("tkinter", reason="needs Python's tkinter, of Debian's package python3-tk", exc_type=ImportError)
    with x_server() as environment:
        check("drive_tk.py", classifier, texts, environment)


@pytest.mark.parametrize("texts", [TEXTS, ()], ids=["typed", "closed while it loads"])
def test_pyside6_shows_the_mood_of_what_is_typed(classifier: Classifier, texts: tuple[str, ...]) -> None:
    pytest.importorskip("PySide6", reason="needs PySide6")
    check("drive_pyside6.py", classifier, texts, {"QT_QPA_PLATFORM": "offscreen"})


def check(driver: str, classifier: Classifier, texts: tuple[str, ...], environment: dict[str, str]) -> None:
    """Run a program that types texts, waits for their moods, and quits while it waits for another."""
    moods = [f"{prediction.label} {prediction.score:.0%}" for prediction in classifier(texts)]
    arguments = [part for pair in zip(texts, moods, strict=True) for part in pair]
    done = subprocess.run(
        [sys.executable, HERE / driver, *arguments],
        env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("This plugin does not support")]  # Qt, offscreen
    assert (done.returncode, said) == (0, [])
    assert done.stdout.splitlines() == moods
