"""Where the time of an int8 encoder goes, from ONNX Runtime's own profile.

python benchmarks/encoder_profile.py BUNDLE --shape 8x128
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from measuring import describe_machine, interleaved_medians, seconds

from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.engines.onnxruntime import session_options

KINDS = {
    "MatMulIntegerToFloat": "products",
    "MultiHeadAttention": "attention",
    **dict.fromkeys(
        ("QuantizeLinear", "ReduceMax", "ReduceMin", "Min", "Max", "Sub", "Neg", "Mul", "Expand", "Concat"), "quantization"
    ),
}
REST = "the rest (LayerNormalization, Gelu, Add, embeddings, head)"
RUNS = 20
SIZE = 2048
"""Of the square matrices that tell the machine's rate."""


def main() -> None:
    """Run, add up, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--shape", default="8x128", help="batch x length")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(describe_machine("onnxruntime", "torch"), f"{arguments.threads} threads", sep=", ")
    rows, length = map(int, arguments.shape.split("x"))
    events = _profile(Bundle.open(arguments.bundle), rows, length, arguments.threads)
    spent: Counter[str] = Counter()
    operations = 0.0
    for event in events:
        spent[KINDS.get(event["args"]["op_name"], REST)] += event["dur"]
        operations += _operations(event["args"])
    total = sum(spent.values())
    print(f"{arguments.shape}: {total / RUNS / 1000:.1f} ms in kernels")
    for kind, microseconds in spent.most_common():
        print(f"  {kind:<60} {microseconds / total:>6.1%} {microseconds / RUNS / 1000:>8.1f} ms")
    rate = 2 * SIZE**3 / interleaved_medians({"int8": seconds(_int8_product(), 3)}, 5)["int8"]
    print(f"products: {operations / RUNS / 1e9:.1f} GOP, here {operations / spent['products'] / 1e3:.0f} GOP/s")
    print(f"at the rate of torch._int_mm, {rate / 1e9:.0f} GOP/s, they would take {operations / RUNS / rate * 1e3:.1f} ms")


def _profile(bundle: Bundle, rows: int, length: int, threads: int) -> list[dict[str, Any]]:
    """Return the kernels' events of some runs."""
    with tempfile.TemporaryDirectory() as folder:
        options = session_options(bundle, threads)
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        session = onnxruntime.InferenceSession(bundle.model_path("onnxruntime"), options, providers=["CPUExecutionProvider"])
        ids = np.random.default_rng(0).integers(1000, 9000, (rows, length))
        for _ in range(RUNS):
            session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return [event for event in events if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")]


def _operations(node: dict[str, Any]) -> float:
    """Return the multiplications and additions of a product."""
    if node["op_name"] != "MatMulIntegerToFloat":
        return 0
    (activations, *_), (product, *_) = (
        [next(iter(entry.values())) for entry in node[side]] for side in ("input_type_shape", "output_type_shape")
    )
    return 2.0 * float(np.prod(product)) * float(activations[-1])


def _int8_product() -> Any:  # noqa: ANN401
    matrix = torch.randint(-127, 127, (SIZE, SIZE), dtype=torch.int8)
    return lambda: torch._int_mm(matrix, matrix)  # noqa: SLF001


if __name__ == "__main__":
    main()
