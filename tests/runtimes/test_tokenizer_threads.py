"""The tokenizer's threads: no more than the classifier may use, counted in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_edge_runtimes.machine.threads import usable_cpus

_COUNT = """
import os, sys
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.tokenization import TextTokenizer
first, *later = [TextTokenizer(Bundle.open(DEFAULT_BUNDLE), int(threads)) for threads in sys.argv[1:]]
before, environment = len(os.listdir("/proc/self/task")), dict(os.environ)
assert len(first.encode(["good film", "bad film", "no film"])) == 3
print(len(os.listdir("/proc/self/task")) - before)
for each in later:
    assert each.encode(["good film", "bad film"]) == first.encode(["good film", "bad film"])
assert dict(os.environ) == environment
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists its threads")


def _started(*threads: int, **environment: str) -> int:
    """Return how many threads a batch starts in the first of some tokenizers; the later ones find the same tokens."""
    command = [sys.executable, "-c", _COUNT, *map(str, threads)]
    answer = subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, text=True)
    return int(answer.stdout)


def test_of_one_thread_no_other_is_started() -> None:
    assert _started(1, 4) == 0


@pytest.mark.skipif(usable_cpus() == 1, reason="needs two CPUs")
@pytest.mark.parametrize("threads", [2, 3, 1000])
def test_the_pool_has_the_threads_that_are_allowed_and_no_more_than_cpus(threads: int) -> None:
    assert _started(threads, 1, 2) == min(threads, usable_cpus())


@pytest.mark.parametrize("chosen", ["1", "many", "-3"])
def test_who_names_a_size_in_the_environment_has_chosen_it(chosen: str) -> None:
    started = _started(2, RAYON_NUM_THREADS=chosen)
    assert started <= 2 if chosen != "1" else started == 0


@pytest.mark.skipif(usable_cpus() == 1, reason="needs two CPUs")
def test_a_pool_larger_than_allowed_is_not_used() -> None:
    assert _started(2, RAYON_NUM_THREADS="8") == 0
