"""Work on several threads, and what is left of it while the interpreter ends."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.openvino_bundle import add_openvino

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.engines import parallel
from sentiment_edge_runtimes.engines.parallel import run_all

HANGS = 600
LATE = """
import atexit, sys, threading
from sentiment_edge import load

TEXTS = ["I loved it."] * 40 + ["dreadful " * 60] * 10
classifier = load(sys.argv[1], engine=sys.argv[2], threads=2)
if sys.argv[4] == "used":
    classifier(TEXTS)

def use():
    again = load(sys.argv[1], engine=sys.argv[2], threads=2)
    assert len(classifier(TEXTS)) == len(list(again.stream(TEXTS))) == len(classifier.logits(TEXTS)) == 50
    print("answered")

def wait():
    threading.main_thread().join()
    use()

if sys.argv[3] == "thread":
    threading.Thread(target=wait).start()
else:
    atexit.register(use)
"""


@pytest.mark.parametrize("workers", [1, 2, 5, 50])
def test_every_item_is_worked_on_once(workers: int) -> None:
    done: list[int] = []
    run_all(done.append, range(20), workers)
    assert sorted(done) == [*range(20)]
    run_all(done.append, [], workers)
    assert len(done) == 20


def test_several_threads_work_at_once() -> None:
    together = threading.Barrier(3)
    run_all(lambda _: together.wait(HANGS), range(3), 3)


def test_without_further_threads_this_one_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(parallel, "Thread", Refused)
    done: list[threading.Thread] = []
    run_all(lambda _: done.append(threading.current_thread()), range(5), 3)
    assert done == [threading.current_thread()] * 5


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_the_first_failure_ends_the_work(workers: int, failure: type[BaseException]) -> None:
    done: list[int] = []

    def work(item: int) -> None:
        done.append(item)
        if item == 3:
            raise failure(item)

    with pytest.raises(failure, match="3"):
        run_all(work, range(10_000), workers)
    assert len(done) < 10_000


def test_an_interrupt_between_two_calls_ends_the_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []

    class Interrupted(threading.Thread):
        def start(self) -> None:
            if started:
                raise KeyboardInterrupt
            started.append(self)
            super().start()

    monkeypatch.setattr(parallel, "Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_all(lambda _: None, itertools.count(), 3)
    started[0].join(HANGS)
    assert not started[0].is_alive()


@pytest.mark.parametrize("used", ["used", "unused"])
@pytest.mark.parametrize("when", ["thread", "atexit"])
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino", "auto"])
def test_a_call_after_the_main_thread_has_ended_is_answered(engine: str, when: str, used: str, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "bundle"))
    if engine != "onnxruntime":
        add_openvino(bundle)
    environment = {**os.environ, "SENTIMENT_EDGE_CACHE": str(tmp_path / "cache")}
    program = [sys.executable, "-c", LATE, str(bundle), engine, when, used]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=HANGS, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "answered\n", "")
