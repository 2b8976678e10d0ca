"""Seconds from a text's arrival in a live source to its answer, and the rate of `stream` where all texts are there.

python benchmarks/first_answer.py --data ../shared/data/sst2/dev.tsv --before ../another-checkout

With `--before`, the rate of another checkout of this project is measured in turns with this one's.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import queue
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import describe_machine, interleaved_medians, print_table, read_sentences

from sentiment_edge import Classifier, load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

_BULK = """
import sys, time
from collections import deque
from sentiment_edge import load
texts = sys.stdin.read().splitlines()
texts *= -(-int(sys.argv[2]) // len(texts))
classifier = load(sys.argv[3] or None)
classifier(texts[:64])
start = time.perf_counter()
deque(classifier.stream(texts if sys.argv[1] == "list" else iter(texts)), maxlen=0)
print(len(texts) / (time.perf_counter() - start))
"""


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="tab-separated file with a column `sentence`")
    parser.add_argument("--bundle", default="", help="folder of a bundle; by default the built-in one")
    parser.add_argument("--before", type=Path, help="another checkout, to compare the rate with")
    parser.add_argument("--texts", type=int, default=20_000, help="texts of the rate")
    parser.add_argument("--live", type=int, default=300, help="texts of the live sources")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    sentences = [sentence for sentence, _ in read_sentences(arguments.data)]
    print(describe_machine("onnxruntime", "tokenizers"))
    _print_delays(load(arguments.bundle or None), random.Random(0).choices(sentences, k=arguments.live))
    runs = _rates(arguments.before, arguments.bundle, sentences, arguments.texts)
    print_table("rate of texts that are there", [*interleaved_medians(runs, arguments.rounds).items()], "texts/s")


def _print_delays(classifier: Classifier, texts: Sequence[str]) -> None:
    classifier(texts[:64])
    print("\nfrom a text's arrival to its answer, ms            median    99 %     most")
    sources: dict[str, Callable[[Classifier, Feed], list[float]]] = {"stream()": _stream, "astream()": _astream}
    for name, listen in sources.items():
        for kind, bursts in (("single texts", [1]), ("bursts of 1 to 20", range(1, 21))):
            delays = sorted(1000 * delay for delay in listen(classifier, Feed(texts, bursts)))
            percentile = delays[int(0.99 * len(delays))]
            print(f"  {name + ', ' + kind:<46} {statistics.median(delays):>8.1f} {percentile:>8.1f} {delays[-1]:>8.1f}")


class Feed:
    """Texts that another thread hands in, some at once, with pauses of 20 to 100 ms between."""

    def __init__(self, texts: Sequence[str], bursts: Sequence[int]) -> None:
        self.arrived: list[float] = []
        self._texts, self._bursts = texts, bursts
        self._random = random.Random(1)

    def start(self, put: Callable[[str | None], object]) -> None:
        """Hand all texts to a function, from a thread; None at the end."""
        threading.Thread(target=self._run, args=(put,)).start()

    def _run(self, put: Callable[[str | None], object]) -> None:
        remaining = [*self._texts]
        while remaining:
            time.sleep(self._random.uniform(0.02, 0.1))
            for _ in range(min(len(remaining), self._random.choice(self._bursts))):
                self.arrived.append(time.perf_counter())
                put(remaining.pop())
        put(None)


def _stream(classifier: Classifier, feed: Feed) -> list[float]:
    source: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    feed.start(source.put)
    texts: Iterator[str] = iter(source.get, None)
    answered = [time.perf_counter() for _ in classifier.stream(texts)]
    return [after - before for before, after in zip(feed.arrived, answered, strict=True)]


def _astream(classifier: Classifier, feed: Feed) -> list[float]:
    async def listen() -> list[float]:
        source: asyncio.Queue[str | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        feed.start(lambda text: loop.call_soon_threadsafe(source.put_nowait, text))

        async def texts() -> AsyncIterator[str]:
            while (text := await source.get()) is not None:
                yield text

        return [time.perf_counter() async for _ in classifier.astream(texts())]

    answered = asyncio.run(listen())
    return [after - before for before, after in zip(feed.arrived, answered, strict=True)]


def _rates(before: Path | None, bundle: str, sentences: Sequence[str], texts: int) -> Mapping[str, Callable[[], float]]:
    trees = ({"before": before.resolve()} if before else {}) | {"now": Path(__file__).resolve().parents[1]}

    def rate(tree: Path, kind: str) -> Callable[[], float]:
        path = os.pathsep.join(str(tree / part) for part in ("", "export", "runtimes"))
        command = [sys.executable, "-c", _BULK, kind, str(texts), bundle]
        stdin = "\n".join(sentences)

        def run() -> float:
            done = subprocess.run(
                command, input=stdin, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": path}
            )
            return float(done.stdout)

        return run

    return {f"{name}, {kind}": rate(tree, kind) for kind in ("list", "iterator") for name, tree in trees.items()}


if __name__ == "__main__":
    main()
