"""Memory of a process that answers as many texts as a sensor or a broker sends in a day, one after the other.

python benchmarks/memory_day.py
python benchmarks/memory_day.py --bundle FOLDER --texts 1000000 --threads 1

A service that is never started again must not grow: this is what a watchdog would see, hour after hour, were the texts not sent
as fast as they are answered. Their lengths are mixed: most have some words, some have hundreds, a few are longer than any model
reads. Linux only.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import describe_machine

from sentiment_edge import load
from sentiment_edge.benchmark.texts import golden_texts
from sentiment_edge_runtimes.machine.cpu import cpu_features

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge import Classifier

_HOURS = 24
_A_DAY = 86_400
"""One text a second."""
_WORDS = (3, 8, 15, 30, 60, 200, 3000)
_SHARES = (20, 30, 25, 15, 8, 1.9, 0.1)
"""The most words of a text, and the percentage of texts that have at most so many."""
_FIELDS = ("VmRSS", "RssAnon", "VmHWM")


def main() -> None:
    """Answer, read the memory, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; by default the built-in one")
    parser.add_argument("--engine", default="onnxruntime")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--texts", type=int, default=_A_DAY)
    arguments = parser.parse_args()
    classifier = load(arguments.bundle, engine=arguments.engine, threads=arguments.threads)
    words = [word for text in golden_texts(classifier.bundle) for word in text.split()]
    print(cpu_features().name, describe_machine("onnxruntime", "tokenizers"), repr(classifier), sep=", ")
    print(f"\n{'hour':>4} {'texts':>9} {'resident, MB':>13} {'own, MB':>9} {'peak, MB':>9} {'texts/s':>9}")
    _print_hours(classifier, words, arguments.texts)


def _print_hours(classifier: Classifier, words: Sequence[str], count: int) -> None:
    classifier("I loved it.")
    _print_hour(0, 1, 0.0)
    texts = _texts(words)
    for hour in range(1, _HOURS + 1):
        start = time.perf_counter()
        for _ in range(count // _HOURS):
            classifier(next(texts))
        _print_hour(hour, 1 + hour * (count // _HOURS), count / _HOURS / (time.perf_counter() - start))


def _texts(words: Sequence[str]) -> Iterator[str]:
    chance = random.Random(0)
    while True:
        (most,) = chance.choices(_WORDS, _SHARES)
        yield " ".join(chance.choices(words, k=chance.randint(1, most)))


def _print_hour(hour: int, texts: int, rate: float) -> None:
    lines = (line.partition(":") for line in Path("/proc/self/status").read_text("utf-8").splitlines())
    fields = {name: value.split() for name, _, value in lines}
    resident, own, peak = (1024 * int(fields[name][0]) / 1e6 for name in _FIELDS)
    print(f"{hour:>4} {texts:>9,} {resident:>13.1f} {own:>9.1f} {peak:>9.1f} {rate:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
