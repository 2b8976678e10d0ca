"""The gate: what is not torch's answer does not become a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from helpers.exports import Exports
from helpers.invocation import invoke
from helpers.tiny_checkpoints import tiny_weights, write_checkpoint
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from sentiment_edge import load
from sentiment_edge.export import GateOptions, ParityError, export_model
from sentiment_edge_export.gate import affordable, fewest
from sentiment_edge_export.quantization.sensitivity import Sensitivity
from sentiment_edge_export.targets import onnxruntime as target

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge_runtimes.vocabulary import Precision


def shift_an_output(graph: onnx.ModelProto) -> onnx.ModelProto:
    """What a wrong fusion would do: every logit of the first class a little higher."""
    for node in graph.graph.node:
        node.output[:] = ["logits_before" if name == "logits" else name for name in node.output]
    graph.graph.initializer.append(numpy_helper.from_array(np.array([0.001, 0], np.float32), "shift"))
    graph.graph.node.append(helper.make_node("Add", ["logits_before", "shift"], ["logits"]))
    return graph


def depend_on_the_batch(graph: onnx.ModelProto) -> onnx.ModelProto:
    """What a scale over the whole batch does: every result moves with its neighbours, by little."""
    for node in graph.graph.node:
        node.output[:] = ["logits_before" if name == "logits" else name for name in node.output]
    graph.graph.initializer.append(numpy_helper.from_array(np.array(1e-4, np.float32), "little"))
    graph.graph.node.extend(
        [
            helper.make_node("ReduceMax", ["logits_before"], ["largest"], keepdims=0),
            helper.make_node("Mul", ["largest", "little"], ["moved"]),
            helper.make_node("Add", ["logits_before", "moved"], ["logits"]),
        ]
    )
    return graph


def give_nan(graph: onnx.ModelProto) -> onnx.ModelProto:
    for tensor in graph.graph.initializer:
        if tensor.name.endswith("fc2.bias"):
            tensor.CopyFrom(numpy_helper.from_array(np.full(2, np.nan, np.float32), tensor.name))
    return graph


@pytest.mark.parametrize(
    ("precision", "fault", "message"),
    [
        ("fp32", shift_an_output, "a logit differs by 0.001"),
        ("fp32", give_nan, "a logit differs by nan"),
        ("int8", depend_on_the_batch, "differ by .* from the text alone"),
        ("int8", give_nan, "mean drift nan"),
    ],
)
def test_a_faulty_graph_is_refused_and_nothing_written(
    checkpoints: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: Precision,
    fault: Callable[[onnx.ModelProto], onnx.ModelProto],
    message: str,
) -> None:
    write = target.write_model  # type: ignore[attr-defined]

    def write_faulty(path: Path, model: ir.Model) -> None:
        of_this_precision = ("quantized" in path.name) == (precision == "int8")
        write(path, ir.from_proto(fault(ir.to_proto(model))) if of_this_precision else model)

    monkeypatch.setattr(target, "write_model", write_faulty)
    with pytest.raises(ParityError, match=message) as caught:
        export_model(str(checkpoints["gru"]), precision=precision, output=tmp_path / "out")
    assert caught.value.exit_status == 3
    assert "worst texts:\n" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_hopeless_int8_is_refused(tmp_path: Path) -> None:
    weights = tiny_weights()  # the same function in fp32, but one column takes the whole range of int8
    weights["embedding.weight"][:, 0] *= 3000
    for name in ("gru.weight_ih_l0", "gru.weight_ih_l0_reverse"):
        weights[name][:, 0] /= 3000
    checkpoint = write_checkpoint(tmp_path / "tiny", weights)
    done = invoke("export", "--model", checkpoint, "--int8", "--output", tmp_path / "out")
    assert (done.returncode, done.stdout) == (3, b"")
    refusal, title, *worst, _, _, _ = done.stderr.decode().splitlines()  # at last, what int8 does to its two weights
    assert "parity refused, nothing written" in refusal
    assert "mean drift" in refusal
    assert title == "worst texts:"
    assert len(worst) == 5
    assert not (tmp_path / "out").exists()


def test_the_bundle_carries_its_evidence(exports: Exports) -> None:
    bundle = exports("gru-mini", precision="int8").bundle
    report = json.loads((bundle.root / "parity.json").read_text("utf-8"))
    assert report["passed"] is True
    assert report["conditions"] == bundle.manifest.parity["conditions"]
    assert report["worst"][0]["drift"] == max(condition["max_drift"] for condition in report["conditions"])
    rows = [json.loads(line) for line in (bundle.root / "golden.jsonl").read_text("utf-8").split("\n")[:-1]]
    logits = load(bundle.root).logits([row["text"] for row in rows])
    assert np.abs(logits - [row["logits"] for row in rows]).max() <= 1e-5


def test_the_users_bounds_decide_and_stay_with_the_bundle(tmp_path: Path) -> None:
    export = ["export", "--model", "gru-mini", "--int8", "--max-fp32-share", "0", "--json"]
    refused = invoke(*export, "--max-mean-drift", "0.0001", "--output", tmp_path / "strict")
    assert refused.returncode == 3
    assert b"at most 0.0001 allowed" in refused.stderr
    done = invoke(*export, "--max-mean-drift", "0.005", "--max-logit-difference", "0.1", "--output", tmp_path / "out")
    bounds = json.loads(done.stdout)["parity"]["bounds"]
    assert (bounds["mean_drift"], bounds["logit_difference"]) == (0.005, 0.1)


def test_the_users_texts_are_measured_and_not_published(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    gate = GateOptions(texts=tuple(f"my secret note number {index}" for index in range(30)))
    report = export_model(str(checkpoints["gru"]), precision="int8", output=tmp_path / "out", gate=gate)
    assert [condition.texts for condition in report.parity.conditions[:3]] == [289] * 3
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.json*"))
    assert b"secret note" not in written


@given(st.integers(0, 200), st.integers(1, 250))
def test_the_fewest_are_found(most: int, needed: int) -> None:
    tried: list[int] = []

    def holds(count: int) -> bool:
        tried.append(count)
        return count >= needed

    found = fewest(most, holds)
    assert found == (needed if needed <= most else None)
    assert len(tried) <= 2 * (most.bit_length() + 1)


@given(st.lists(st.floats(0, 1), max_size=20), st.floats(0, 1))
def test_the_budget_is_kept(shares: list[float], budget: float) -> None:
    ranking = [Sensitivity(str(index), 1 - index / 100, share) for index, share in enumerate(shares)]
    chosen = affordable(ranking, budget)
    assert sum(each.share for each in chosen) <= budget + 1e-9
    assert [*chosen] == [each for each in ranking if each in chosen]
