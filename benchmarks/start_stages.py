"""The way to the first answer by stage, in fresh processes, against importing the three libraries that it takes.

python benchmarks/start_stages.py
python benchmarks/start_stages.py --bundle FOLDER --checkpoint FOLDER --before ../another-checkout

Each stage is a process of its own that goes that far and says so; all take turns. With `--checkpoint` transformers' pipeline
answers the same text by the original model. With `--before` another checkout of this project is measured beside this one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measuring import describe_machine, in_turns

from sentiment_edge.runtimes import usable_cpus
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.machine.cpu import cpu_features

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TEXT = "I love this restaurant!"
_IMPORTS = "import numpy, onnxruntime, tokenizers"
_OPEN = "from sentiment_edge.runtimes import Bundle, load, open_engine; from pathlib import Path; "
_STAGES = {
    "Python started": "pass",
    "`load` imported": "from sentiment_edge import load",
    "bundle opened and checked": f"{_OPEN}Bundle.open(Path(root))",
    "tokenizer read, library imported": f"{_OPEN}load(root, engine=engine)",
    "session made": f"{_OPEN}model = load(root, engine=engine); open_engine(model.bundle, engine, {usable_cpus()}).sharing(1)",
    "first answer": f"{_OPEN}load(root, engine=engine)({_TEXT!r})",
}
_ANSWER = "first answer"
_PIPELINE = f"from transformers import pipeline; pipeline('text-classification', model=root, device='cpu')({_TEXT!r})"
_REACHED = "; import os; os.write(1, b'.')"
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}


class Start(NamedTuple):
    """A process that writes when it has reached its stage."""

    command: Sequence[str]
    environment: Mapping[str, str]

    def seconds(self) -> float:
        """Return the seconds from the start to the first byte that it writes."""
        pipe = subprocess.PIPE
        environment = {**os.environ, **_OFFLINE, **self.environment}
        start = time.perf_counter()
        with subprocess.Popen(self.command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(_TEXT.encode() + b"\n")
            process.stdin.close()
            reached = process.stdout.read(1)
            seconds = time.perf_counter() - start
            process.stdout.read()
        if not reached or process.returncode:
            raise SystemExit(f"failed: {' '.join(self.command)}")
        return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default=str(DEFAULT_BUNDLE), help="folder of a bundle; by default the built-in one")
    parser.add_argument("--engine", default="onnxruntime")
    parser.add_argument("--checkpoint", help="folder of the bundle's checkpoint, for transformers' pipeline")
    parser.add_argument("--before", type=Path, help="another checkout, to compare with")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    starts = {_IMPORTS: _program(_IMPORTS)} | _ours(arguments.bundle, arguments.engine, arguments.before)
    if arguments.checkpoint:
        starts["transformers' pipeline"] = _program(f"root = {arguments.checkpoint!r}; {_PIPELINE}")
    for start in starts.values():
        start.seconds()  # fills the file cache
    print(cpu_features().name, describe_machine("onnxruntime", "tokenizers", "typer"), arguments.engine, sep=", ")
    _print_table(in_turns({name: start.seconds for name, start in starts.items()}, arguments.rounds))


def _ours(bundle: str, engine: str, before: Path | None) -> dict[str, Start]:
    """Return this project's stages, and those of another checkout, by name."""
    trees = {"": Path(__file__).resolve().parents[1]} | ({"before: ": before.resolve()} if before else {})
    starts = {}
    for prefix, tree in trees.items():
        path = {"PYTHONPATH": os.pathsep.join(str(tree / part) for part in ("", "export", "runtimes"))}
        for name, code in _STAGES.items():
            starts[prefix + name] = _program(f"root, engine = {bundle!r}, {engine!r}; {code}", path)
        command = [sys.executable, "-m", "sentiment_edge", "predict", bundle, "--engine", engine]
        starts[f"{prefix}sentiment-edge predict"] = Start(command, path)
        help_ = [sys.executable, "-m", "sentiment_edge", "--help"]
        starts[f"{prefix}sentiment-edge --help"] = Start(help_, path)
    return starts


def _program(code: str, environment: Mapping[str, str] | None = None) -> Start:
    return Start([sys.executable, "-c", code + _REACHED], environment or {})


def _print_table(seconds: Mapping[str, Sequence[float]]) -> None:
    """Print medians, the step from the stage before, and ratios to the imports of the same round, with their quartiles."""
    base = seconds[_IMPORTS]
    print(f"\n{'until':<42} {'ms':>8} {'step':>8} {'of the imports, with quartiles':>32}")
    previous = 0.0
    for name, values in seconds.items():
        middle = 1000 * statistics.median(values)
        low, ratio, high = statistics.quantiles([value / each for value, each in zip(values, base, strict=True)], n=4)
        stage = name.removeprefix("before: ")
        previous = 0.0 if stage not in _STAGES or stage == next(iter(_STAGES)) else previous
        step = f"{middle - previous:8.1f}" if stage in _STAGES else " " * 8
        print(f"{name:<42} {middle:8.1f} {step} {ratio:14.2f} ({low:.2f} to {high:.2f})")
        previous = middle
    if "transformers' pipeline" in seconds:
        pipeline = statistics.median(seconds["transformers' pipeline"])
        print(f"\nfirst answer, of the pipeline's: {statistics.median(seconds[_ANSWER]) / pipeline:.3f}")


if __name__ == "__main__":
    main()
