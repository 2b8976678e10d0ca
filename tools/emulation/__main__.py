"""Prove that lesser CPUs give the answers of this one: the runtime as shipped, the wheels as published, emulated by QEMU."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from helpers.support import SHARED

from sentiment_edge_export.parity.texts import parity_texts
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE, load
from tools.emulation.arm_system import ArmSystem
from tools.emulation.bundles import make_bundles
from tools.emulation.cpus import CPUS, Cpu, missing_tools
from tools.emulation.outcome import DRIFT, Outcome, Run, compare, table
from tools.steps import REPOSITORY

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ENCODER = SHARED / "checkpoints/distilbert-mini-imdb"
_GUEST = Path(__file__).parent / "guest.py"
_SAMPLE = REPOSITORY / "tests/sample_lines.txt"
_EVERY = 8
"""With --quick, every eighth text is run."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The inputs of every check on a CPU."""

    folder: Path
    system: ArmSystem
    texts: Path
    references: dict[Path, NDArray[np.float32]]
    """Logits of this machine by bundle."""

    def logits(self, cpu: Cpu, root: Path) -> Outcome:
        """Run the texts through a bundle on a CPU."""
        bundle = Bundle.open(root)
        output = self.folder / f"{cpu.name}-{root.name}.npz"
        started = time.perf_counter()
        _emulate(cpu, bundle, self.system, [str(_GUEST), str(root), str(self.texts), str(output)])
        found = np.load(output)
        remarks = "products saturate: exact kernels" if bundle.manifest.precision == "int8" and found["saturates"] else ""
        run = Run(cpu.name, root.name, time.perf_counter() - started, remarks)
        return compare(run, bundle, found["logits"], self.references[root])

    def verification(self, cpu: Cpu, root: Path) -> Outcome:
        """`sentiment-edge verify`."""
        bundle = Bundle.open(root)
        started = time.perf_counter()
        done = _emulate(cpu, bundle, self.system, ["-m", "sentiment_edge", "verify", str(root), "--json"], may_fail=True)
        drift = json.loads(done)["parity"]["conditions"][0]["max_drift"] if done else float("nan")
        passed = bool(done) and json.loads(done)["parity"]["passed"]
        remarks = f"verify: probabilities within {drift:.1e}"
        return Outcome(cpu.name, root.name, bundle.manifest.precision, passed, time.perf_counter() - started, remarks=remarks)

    def prediction(self, cpu: Cpu) -> Outcome:
        """`sentiment-edge predict` with the default model: the same lines as here, the scores within the bound."""
        bundle = Bundle.open(DEFAULT_BUNDLE)
        predict = ["-m", "sentiment_edge", "predict"]
        here = _run([sys.executable, *predict])
        started = time.perf_counter()
        there = _emulate(cpu, bundle, self.system, predict)
        passed = _same_predictions(here, there)
        remarks = "predict: the same lines" if passed else "predict: other lines"
        return Outcome(
            cpu.name, DEFAULT_BUNDLE.name, bundle.manifest.precision, passed, time.perf_counter() - started, remarks=remarks
        )


def _emulate(cpu: Cpu, bundle: Bundle, system: ArmSystem, arguments: list[str], *, may_fail: bool = False) -> str:
    fp32_products = bundle.manifest.precision == "fp32" or "GRU" in bundle.manifest.nodes
    return _run([*cpu.python(system, stepwise=fp32_products), *arguments], may_fail=may_fail)


def _run(command: list[str], *, may_fail: bool = False) -> str:
    """Run a command on the sample lines and return its standard output."""
    with _SAMPLE.open("rb") as lines:
        done = subprocess.run(command, stdin=lines, capture_output=True, check=False)
    if done.returncode and not may_fail:
        sys.stderr.buffer.write(done.stderr)
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}")
    return done.stdout.decode("utf-8")


def _same_predictions(here: str, there: str) -> bool:
    rows = [[line.split("\t") for line in text.splitlines()] for text in (here, there)]
    if len(rows[0]) != len(rows[1]):
        return False
    pairs = list(zip(*rows, strict=True))
    same = all(a[0] == b[0] and a[2:] == b[2:] for a, b in pairs)
    return same and all(a[1] == b[1] or abs(float(a[1]) - float(b[1])) <= DRIFT for a, b in pairs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lesser-cpus", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"a tiny encoder, and one text in {_EVERY}")
    parser.add_argument("--encoder", type=Path, help="folder of an encoder's checkpoint (default: ../shared's, or a tiny one)")
    parser.add_argument("--cpu", action="append", choices=[cpu.name for cpu in CPUS], help="only this CPU (repeatable)")
    parser.add_argument("--cache", type=Path, default=REPOSITORY / "build/emulation", help="where downloads are kept")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many run at once (default: one per CPU)")
    return parser.parse_args()


def _prepare(options: argparse.Namespace) -> Comparison:
    folder: Path = options.cache.resolve()
    system = ArmSystem(folder)
    system.set_up()
    encoder = options.encoder or (_ENCODER if _ENCODER.is_dir() and not options.quick else None)
    texts = parity_texts()[:: _EVERY if options.quick else 1]
    path = folder / "texts.json"
    path.write_text(json.dumps(texts), encoding="utf-8")
    bundles = make_bundles(folder / "bundles", encoder)
    references = {root: np.concatenate([load(root).logits([text]) for text in texts]) for root in bundles}
    return Comparison(folder, system, path, references)


def main() -> int:
    """Set up, run every check, print the table; return 1 if something differs."""
    started = time.perf_counter()
    options = _arguments()
    if missing := missing_tools():
        sys.stderr.write(f"lesser-cpus: {missing}\n")
        return 1
    comparison = _prepare(options)
    sys.stderr.write(f"lesser-cpus: set up in {time.perf_counter() - started:.0f} s\n")
    cpus = [cpu for cpu in CPUS if not options.cpu or cpu.name in options.cpu]
    bundles = list(comparison.references)
    with ThreadPoolExecutor(options.jobs) as pool:
        pending = [pool.submit(comparison.logits, cpu, bundle) for cpu in cpus for bundle in bundles]
        pending += [pool.submit(comparison.prediction, cpu) for cpu in cpus]
        pending += [pool.submit(comparison.verification, cpu, bundle) for cpu in cpus for bundle in bundles]
        outcomes = [outcome.result() for outcome in pending]
    sys.stdout.write(f"{table(outcomes)}\n")
    sys.stderr.write(f"lesser-cpus: {time.perf_counter() - started:.0f} s in all\n")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
