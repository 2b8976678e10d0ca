"""Memory of a process by stage, until it has answered its first text and then more, beside the imports that it takes.

python benchmarks/memory_first_call.py
python benchmarks/memory_first_call.py --bundle FOLDER --before ../another-checkout
python benchmarks/memory_first_call.py --compare FOLDER ANOTHER

Each stage is a process of its own that goes that far and then reads its own memory; Linux only. `own` is what no file holds.
The rest is pages of files, most of them of libraries: the system can take them back whenever it needs memory, and other
processes may share them. `--before` measures another checkout beside this one, `--compare` the last stages of several bundles.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import describe_machine

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.machine.cpu import cpu_features

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOAD = "from sentiment_edge import load; model = load(root, engine=engine)"
_CALL = f"{_LOAD}; model('I love this restaurant!')"
_TEXTS = "('good ' * (i * 5 % 200) + 'or not?' for i in range({}))"
_LAST_STAGES = {
    "first call answered": _CALL,
    "40 texts of all lengths, one by one": f"{_CALL}; [model(text) for text in {_TEXTS.format(40)}]",
    "first call answered, then closed": f"{_CALL}; model.close()",
}
_STAGES = {
    "Python started": "pass",
    "`import sentiment_edge`": "import sentiment_edge",
    "`import numpy`": "import numpy",
    "`import numpy, onnxruntime`": "import sentiment_edge, numpy, onnxruntime",
    "`import numpy, onnxruntime, tokenizers`": "import sentiment_edge, numpy, onnxruntime, tokenizers",
    "`load` returned": _LOAD,
    **_LAST_STAGES,
    "2,000 texts of all lengths in a stream": f"{_CALL}; [0 for _ in model.stream({_TEXTS.format(2000)})]",
}
_READ = """
import json
def read(path, names):
    lines = (line.split() for line in open(path))
    return {words[0][:-1]: 1024 * int(words[1]) for words in lines if words[0][:-1] in names}
memory = read("/proc/self/smaps_rollup", {"Rss", "Anonymous"}) | read("/proc/self/status", {"VmHWM"})
print(json.dumps(memory))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=DEFAULT_BUNDLE, help="folder of a bundle; by default the built-in one")
    parser.add_argument("--compare", type=Path, nargs="+", help="folders of bundles, of which the last stages are measured")
    parser.add_argument("--engine", default="onnxruntime")
    parser.add_argument("--before", type=Path, help="another checkout, to compare with")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(cpu_features().name, describe_machine(arguments.engine, "tokenizers", "numpy"), sep=", ")
    trees = {"": Path(__file__).resolve().parents[1]} | ({"before: ": arguments.before} if arguments.before else {})
    for bundle in arguments.compare or [arguments.bundle]:
        print(f"\n{bundle.name + ', MB':<50} {'resident':>9} {'own':>9} {'of files':>9} {'peak':>9}")
        for name, code in (_LAST_STAGES if arguments.compare else _STAGES).items():
            for prefix, tree in trees.items():
                program = f"root, engine = {str(bundle)!r}, {arguments.engine!r}; {code}"
                _print_stage(prefix + name, _memory(tree, program, arguments.rounds))


def _memory(tree: Path, code: str, rounds: int) -> Mapping[str, float]:
    """Return medians of several processes, in megabytes."""
    path = os.pathsep.join(str(tree.resolve() / part) for part in ("", "export", "runtimes"))
    command = [sys.executable, "-c", code + _READ]
    seen = []
    for _ in range(rounds):
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=False)
        if done.returncode:  # as an earlier checkout that cannot be closed
            return {}
        seen.append(json.loads(done.stdout))
    return {name: statistics.median(each[name] for each in seen) / 1e6 for name in seen[0]}


def _print_stage(name: str, memory: Mapping[str, float]) -> None:
    if not memory:
        print(f"{name:<50} {'-':>9}")
        return
    figures = memory["Rss"], memory["Anonymous"], memory["Rss"] - memory["Anonymous"], memory["VmHWM"]
    print(f"{name:<50} {' '.join(f'{figure:9.1f}' for figure in figures)}")


if __name__ == "__main__":
    main()
