"""Time and memory of a large model: its whole export, and processes that load the bundle and predict, on each engine.

python tools/random_checkpoint.py --shape electra-large --vocab VOCAB --output electra-large
python benchmarks/large_model.py --checkpoint electra-large
python benchmarks/large_model.py --bundle BUNDLE
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import describe_machine

from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.machine.cache import FOLDER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.vocabulary import EngineName

COMMAND = [sys.executable, "-m", "sentiment_edge"]
LINES = b"I loved every minute of it.\n" * 100 + (b"It was long. " * 200 + b"\n") * 20


ALLOWED: dict[EngineName, tuple[float, int]] = {"onnxruntime": (1.25, 150), "openvino": (1.6, 100)}
"""The memory that a process may take: times its model's files, and MB."""


def main() -> None:
    """Export, predict, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", type=Path, help="folder of a model to export first")
    source.add_argument("--bundle", type=Path, help="folder of a bundle that is there already")
    arguments = parser.parse_args()
    print(describe_machine("torch", "onnxruntime", "openvino"))
    with tempfile.TemporaryDirectory() as scratch:
        bundle = arguments.bundle or _export(arguments.checkpoint, Path(scratch) / "bundle")
        for engine in Bundle.open(bundle).manifest.engines:
            os.environ[FOLDER_VARIABLE] = str(Path(scratch) / "cache" / engine)
            _print_engine(bundle, engine, Path(scratch) / "lines.txt")


def _export(checkpoint: Path, bundle: Path) -> Path:
    export = [*COMMAND, "export", "--model", str(checkpoint), "--int8", "--engine", "onnxruntime", "--engine", "openvino"]
    print(f"export --int8, parity included: {_measured([*export, '--output', str(bundle)], Path(os.devnull))}")
    return bundle


def _print_engine(bundle: Path, engine: EngineName, lines: Path) -> None:
    """Predict on one engine: first with nothing cached, then again."""
    weights = sum(path.stat().st_size for path in Bundle.open(bundle).model_path(engine).parent.iterdir()) / 1e6
    times, more = ALLOWED[engine]
    print(f"\n{engine}: files of {weights:.0f} MB; {times} times that and {more} MB: {times * weights + more:.0f} MB")
    contents = {
        "one short line, the first time": LINES[:28],
        "one short line again": LINES[:28],
        "120 lines, 20 of them longer than the model reads": LINES,
    }
    for name, content in contents.items():
        lines.write_bytes(content)
        print(f"predict, {name}: {_measured([*COMMAND, 'predict', str(bundle), '--engine', engine], lines)}")


def _measured(command: Sequence[str], stdin: Path) -> str:
    """Run a process and tell its time and its peak memory."""
    start = time.perf_counter()
    with stdin.open("rb") as source:
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return f"{time.perf_counter() - start:.1f} s, {usage.ru_maxrss / 1000:.0f} MB at its peak"


if __name__ == "__main__":
    main()
