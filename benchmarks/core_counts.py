"""Lines per second of whole `predict` commands by number of threads, in turns, as a ratio to the first number.

python benchmarks/core_counts.py --data ../shared/data/sst2/dev.tsv --threads 1 2 4 8 16

Compare with what `predict_stages.py` makes of the parts of one run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from measuring import describe_machine, read_sentences
from predict_stages import write_input

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.threads import usable_cpus


def predict(options: argparse.Namespace, source: Path, threads: int) -> float:
    """Label the file in a process of its own and return its seconds, start and end included."""
    target = source.with_name(f"answers.{options.format}")
    target.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sentiment_edge", "predict", options.bundle, "--input", source, "--output", target]
    start = perf_counter()
    command += ["--engine", options.engine, "--threads", str(threads), "--format", options.format]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return perf_counter() - start


def main() -> None:
    """Label the same file with each number of threads in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="tab-separated file with a column `sentence`")
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE, help="folder of a bundle; by default the built-in one")
    parser.add_argument("--engine", choices=["onnxruntime", "openvino"], default="onnxruntime")
    parser.add_argument("--format", choices=["tsv", "csv", "jsonl"], default="tsv", help="for tsv the input is lines")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, usable_cpus()])
    for name, default in {"lines": 40_000, "rounds": 3}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    texts = [text for text, _ in read_sentences(options.data)]
    texts = (texts * (options.lines // len(texts) + 1))[: options.lines]
    walls: dict[int, list[float]] = {count: [] for count in options.threads}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"texts.{options.format.replace('tsv', 'txt')}")
        write_input(source, texts)
        for _ in range(options.rounds):
            for count, seconds in walls.items():
                seconds.append(predict(options, source, count))
    print(describe_machine(options.engine, "tokenizers"))
    print(f"{cpu_features().name}, {options.lines:,} lines, {options.format}, median of {options.rounds} rounds")
    first = walls[options.threads[0]]
    for count, seconds in walls.items():
        ratio = median(one / own for one, own in zip(first, seconds, strict=True))
        print(f"{count:>3} threads {len(texts) / median(seconds):>9,.0f} lines/s {ratio:>6.2f} times {options.threads[0]}")


if __name__ == "__main__":
    main()
