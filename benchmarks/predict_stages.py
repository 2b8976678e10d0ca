"""The time of `predict` by stage, and what follows from it for more cores.

python benchmarks/predict_stages.py --data ../shared/data/sst2/dev.tsv --format jsonl

Wall time is the calling thread's. CPU time is that of all threads; the last row of the table is what the libraries' own threads
take. Outside the model, and outside the library that tokenizes, a thread holds Python's lock. `whole` is the same run without
the clocks, in turns with it.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import onnxruntime
from clocks import Clocks
from measuring import describe_machine, read_sentences

from sentiment_edge.labelling import run
from sentiment_edge.labelling.output.choice import open_target
from sentiment_edge.labelling.output.part_file import PartFile
from sentiment_edge.labelling.request import LabellingRequest
from sentiment_edge.labelling.waiting import WaitingRows
from sentiment_edge_runtimes import inference
from sentiment_edge_runtimes.classifier import Classifier, load
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.threads import usable_cpus
from sentiment_edge_runtimes.progress import SILENT
from sentiment_edge_runtimes.tokenization import TextTokenizer

INSIDE = ("padding", "between batches")
"""Stages that hold the lock while other threads are in the model."""
STAGES: tuple[tuple[str, Any, str], ...] = (
    ("reading", run, "label_files"),
    ("rows and counts", WaitingRows, "flush"),
    ("tokenizing", TextTokenizer, "encode_each"),
    ("planning", inference, "plan"),
    ("padding", inference, "pad"),
    ("waiting for a batch", inference, "run_all"),
    ("model", onnxruntime.InferenceSession, "run"),
    ("predictions", Classifier, "_predictions"),
    ("journal and disk", PartFile, "hold"),
    ("journal and disk", PartFile, "finish"),
)


def put_clocks(clocks: Clocks) -> None:
    """Put clocks where they belong."""

    def writing(choose: Any) -> Any:  # noqa: ANN401
        def chosen(*arguments: Any) -> Any:  # noqa: ANN401
            writer = choose(*arguments)
            writer.write = clocks.timed("writing", writer.write)
            return writer

        return chosen

    clocks.wrap(run, "choose_writer", writing)
    clocks.wrap(inference, "plan", lambda plan: lambda *rest: list(plan(*rest)))
    clocks.wrap(inference, "run_all", lambda all_: lambda each, *rest: all_(clocks.timed("between batches", each), *rest))
    for stage, owner, name in STAGES:
        clocks.wrap(owner, name, partial(clocks.timed, stage))
    if "openvino" in sys.modules:
        clocks.wrap(sys.modules["openvino"].InferRequest, "infer", partial(clocks.timed, "model"))


def label(classifier: Classifier, source: Path, form: Any) -> tuple[float, float]:  # noqa: ANN401 - a literal
    """Label a file and return the seconds: wall, and CPU of all threads."""
    target = source.with_name(f"answers.{form}")
    wall, cpu = perf_counter(), process_time()
    opened = lambda form, table: open_target(form, table, target=target, sources=[source])  # noqa: E731
    run.label_files(classifier, [source], LabellingRequest(output_format=form), opened, SILENT)
    return perf_counter() - wall, process_time() - cpu


def write_input(path: Path, texts: list[str]) -> None:
    """Write texts as lines, csv or jsonl."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            csv.writer(file).writerows([("id", "text"), *enumerate(texts)])
        file.writelines(f"{json.dumps({'text': text})}\n" for text in texts if path.suffix == ".jsonl")
        file.writelines(f"{text}\n" for text in texts if path.suffix == ".txt")


def show(clocks: Clocks, whole: list[tuple[float, float]], timed: list[tuple[float, float]], lines: int) -> None:
    """Print the stages, the whole, and what follows for more cores."""
    runs, per_line = len(timed), 1e6 / len(timed) / lines
    libraries = sum(cpu for _, cpu in timed) - sum(clocks.cpu.values())
    print(f"{'stage':<22}{'wall s':>8}{'share':>8}{'CPU us a line':>15}")
    for stage, seconds in clocks.wall.most_common():
        share = seconds / sum(clocks.wall.values())
        print(f"{stage:<22}{seconds / runs:>8.3f}{share:>8.1%}{clocks.cpu[stage] * per_line:>15.1f}")
    print(f"{'libraries own threads':<38}{libraries * per_line:>15.1f}")
    wall, bare = median(wall for wall, _ in timed), median(wall for wall, _ in whole)
    print(f"sum {sum(clocks.wall.values()) / runs:.3f} s; with the clocks {wall:.3f} s; whole {bare:.3f} s")
    inside = sum(clocks.cpu[stage] for stage in INSIDE) * per_line
    spread = (clocks.cpu["model"] + libraries) * per_line
    alone = sum(clocks.cpu.values()) * per_line - inside - clocks.cpu["model"] * per_line
    print(
        f"us a line: {alone:.1f} on one thread alone, {inside:.1f} with the lock beside the model, {spread:.1f} on all threads"
    )
    total = alone + inside + spread
    for cores in (1, 2, 4, 8, 16):
        now, best = alone + max(inside, (inside + spread) / cores), max(alone + inside, total / cores)
        print(
            f"{cores:>3} cores {total / now:6.2f} times one ({1e6 / now:,.0f} lines/s); with all overlapped {total / best:.2f}"
        )


def main() -> None:
    """Run with and without clocks in turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="tab-separated file with a column `sentence`")
    parser.add_argument("--bundle", help="folder of a bundle; by default the built-in one")
    parser.add_argument("--engine", choices=["onnxruntime", "openvino"], default="onnxruntime")
    parser.add_argument("--format", choices=["tsv", "csv", "jsonl"], default="tsv", help="for tsv the input is lines")
    for name, default in {"lines": 10_000, "threads": usable_cpus(), "rounds": 3}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    texts = [text for text, _ in read_sentences(options.data)]
    texts = (texts * (options.lines // len(texts) + 1))[: options.lines]
    classifier = load(options.bundle, engine=options.engine, threads=options.threads)
    clocks, whole, timed = Clocks(), [], []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"texts.{options.format.replace('tsv', 'txt')}")
        write_input(source, texts)
        classifier(texts[:1000])
        for _ in range(options.rounds):
            whole.append(label(classifier, source, options.format))
            with clocks:
                put_clocks(clocks)
                timed.append(label(classifier, source, options.format))
    print(describe_machine(options.engine, "tokenizers"))
    print(f"{cpu_features().name}, {options.threads} threads, {options.lines:,} lines, {options.format}")
    show(clocks, whole, timed, len(texts))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
