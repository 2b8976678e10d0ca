"""Where the time of a model goes in OpenVINO, by kind of node, from its own counters: one thread, the mean of many runs.

The counters hold the mean over all runs since the model was compiled, so each shape gets a model of its own, and what the
first runs took, in which matrices are copied and pages are fetched, is taken off again.

python benchmarks/openvino_profile.py BUNDLE/openvino/openvino_model.xml OTHER/model.xml --shapes 1x8,1x16,1x32,1x128
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openvino
from measuring import describe_machine

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST, RUNS = 5, 100


def main() -> None:
    """Run each model at each shape, print its nodes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", help="files in OpenVINO's format")
    parser.add_argument("--shapes", default="1x8,1x16,1x32,1x128", help="batch x length, comma-separated")
    parser.add_argument("--nodes", action="store_true", help="print every node")
    arguments = parser.parse_args()
    print(describe_machine("openvino"), "1 thread", sep=", ")
    for model in arguments.models:
        for shape in arguments.shapes.split(","):
            rows, length = map(int, shape.split("x"))
            times, kinds = _profile(_open(model), rows, length)
            print(f"\n{model}, {shape}: {sum(times.values()) / 1000:.2f} ms in {len(times)} nodes")
            _print(times, {name: name for name in times} if arguments.nodes else kinds)


def _open(model: Path) -> openvino.InferRequest:
    properties = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32", "PERF_COUNT": True}
    return openvino.Core().compile_model(model, "CPU", properties).create_infer_request()


def _profile(request: openvino.InferRequest, rows: int, length: int) -> tuple[dict[str, float], dict[str, str]]:
    """Return the microseconds of each node that runs, and its kind: the operation and its kernel."""
    generator = np.random.default_rng((rows, length))
    totals: list[dict[str, float]] = []
    for runs, sum_of in ((FIRST, FIRST), (RUNS, FIRST + RUNS)):
        for _ in range(runs):
            ids = generator.integers(999, 9999, (rows, length))
            request.infer({0: ids, 1: np.ones_like(ids)})
        nodes = [node for node in request.get_profiling_info() if node.status == openvino.ProfilingInfo.Status.EXECUTED]
        totals.append({node.node_name: 1e6 * node.real_time.total_seconds() * sum_of for node in nodes})
    first, all_runs = totals
    times = {name: (total - first.get(name, 0.0)) / RUNS for name, total in all_runs.items()}
    return times, {node.node_name: f"{node.node_type}, {node.exec_type}" for node in nodes}


def _print(times: Mapping[str, float], kinds: Mapping[str, str]) -> None:
    spent: Counter[str] = Counter()
    for name, microseconds in times.items():
        spent[kinds[name]] += microseconds  # type: ignore[assignment]  # counters hold what can be added
    counts = Counter(kinds[name] for name in times)
    total = sum(times.values())
    for kind, microseconds in spent.most_common():
        print(f"  {kind:<60} {counts[kind]:>4} {microseconds:>9.0f} us {microseconds / total:>7.1%}")


if __name__ == "__main__":
    main()
