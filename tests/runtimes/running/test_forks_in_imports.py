"""Forks while another thread imports a part of the package: the child, which has no such thread, imports it itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import importlib.abc, os, sys, threading

name, use = sys.argv[1:]
reached = threading.Event()


class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, wanted, path, target=None):
        if wanted == name:  # as from a disk that has fallen asleep
            reached.set()
            threading.Event().wait(0.5)
        return None


sys.meta_path.insert(0, Slow())
from sentiment_edge import load

classifier = load(warm="background") if use == "call" else load()
ask = classifier if use == "call" else getattr(classifier, use)
threading.Thread(target=lambda: ask("good film"), daemon=True).start()
assert reached.wait(30), name + " is never imported"
child = os.fork()
ask("bad film")
if not child:
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize(
    ("module", "use"),
    [
        ("inference", "call"),
        ("running.text_model", "call"),
        ("running.opening", "call"),
        ("engines.isolation", "call"),
        ("explanation", "explain"),
        ("explanation.spans", "explain"),
    ],
)
def test_the_child_answers(module: str, use: str) -> None:
    command = [sys.executable, "-c", PROGRAM, f"sentiment_edge_runtimes.{module}", use]
    subprocess.run(command, check=True, timeout=60)
