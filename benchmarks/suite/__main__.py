"""Measure this project's bundles beside other ways to run the same models, in one interleaved run; print tables, write a file.

    PYTHONPATH=benchmarks python -m suite

Everything is measured in turns, round after round in a changing order; a turn is a pause, a call that fills the caches, and a
burst of calls. Ratios are made within each round. The whole takes less than 20 minutes on 2 quiet cores. `make bench` installs
the other libraries first; those that are missing are left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.threads import usable_cpus
from suite.measures.subject import SubjectRun
from suite.report.results import Results, write_results
from suite.report.table import LEGEND, render
from suite.settings import Settings
from suite.subjects import LARGE, USUAL

ROOT = Path(__file__).parents[2]
LIBRARIES = ("onnxruntime", "openvino", "tokenizers", "numpy", "torch", "transformers", "nncf", "ctranslate2")
ROUNDS = 7


def main() -> int:
    """Measure, print, write."""
    arguments = _parse()
    scratch = arguments.scratch.resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    own_cache = scratch / "engine-cache"
    shutil.rmtree(own_cache, ignore_errors=True)  # this run makes its own choices of engines
    os.environ["SENTIMENT_EDGE_CACHE"] = str(own_cache)
    rounds, share = (1, 0.2) if arguments.quick else (arguments.rounds, 1.0)
    settings = Settings(arguments.shared.resolve(), scratch, arguments.threads, rounds, share)
    load = os.getloadavg()[0]
    subjects = [each for each in (*USUAL, *LARGE) if each.key in arguments.subjects]
    begun = time.monotonic()
    runs = {}
    for subject in subjects:

        def say(text: str, key: str = subject.key) -> None:
            print(f"[{time.monotonic() - begun:5.0f} s] {key}: {text}", file=sys.stderr, flush=True)

        runs[subject.key] = SubjectRun(subject, settings, say)
    for run in runs.values():
        run.build()
    if arguments.build:
        return 0
    cpu = cpu_features()
    results = Results(
        date=datetime.now(UTC).date().isoformat(),
        cpu=cpu.name,
        kind=cpu.int8_products,
        features=[*cpu.features],
        cores=usable_cpus(),
        threads=settings.threads,
        load=load,
        rounds=rounds,
        versions=_versions(),
        subjects={key: run.measure() for key, run in runs.items()},
    )
    path = scratch / ("quick.json" if arguments.quick else f"results/{_file_name(results)}")
    write_results(results, path)
    print(LEGEND, render(results), f"Written to {path}", sep="\n\n")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = [subject.key for subject in USUAL]
    choices = [*usual, *(subject.key for subject in LARGE)]
    parser.add_argument("--subjects", nargs="+", choices=choices, default=usual, help="models to measure")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder of checkpoints and labelled texts")
    parser.add_argument("--scratch", type=Path, default=ROOT / ".bench", help="folder for files that later runs take over")
    parser.add_argument("--threads", type=int, default=usable_cpus())
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of short measurements; long ones get half as many")
    parser.add_argument("--quick", action="store_true", help="one round over few texts: to see that all of it runs")
    parser.add_argument("--build", action="store_true", help="only make the files, which a later run takes over")
    return parser.parse_args()


def _file_name(results: Results) -> str:
    """Name the kind of CPU, and the models if they are not the usual ones."""
    models = [*results.subjects] if [*results.subjects] != [subject.key for subject in USUAL] else []
    return "-".join([*results.kind.partition(":")[0].lower().split(), *models]) + ".json"


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
