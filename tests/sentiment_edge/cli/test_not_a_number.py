"""A model that gives no numbers: every command says so, and none writes what JSON does not have."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from helpers.onnx_writer import put_classifier, weights
from helpers.support import Command, put_file


@pytest.fixture
def broken(bundle_folder: Path) -> Path:
    """A bundle whose embeddings are NaN."""
    folder, numbers = put_classifier(bundle_folder), weights()
    model = (folder / "onnx/model.onnx").read_bytes()
    put_file(folder, "onnx/model.onnx", model.replace(numbers, struct.pack("<f", float("nan")) * (len(numbers) // 4)))
    return folder


def strict(output: bytes) -> dict[str, object]:
    """Read JSON that has no constant of its own."""
    found: dict[str, object] = json.loads(output, parse_constant=pytest.fail)
    return found


def test_verify(command: Command, broken: Path) -> None:
    done = command("verify", broken, "--json")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    parity = strict(done.stdout)["parity"]
    assert isinstance(parity, dict)
    assert parity["passed"] is False
    assert {condition["max_logit_difference"] for condition in parity["conditions"]} == {None}


def test_doctor(command: Command, broken: Path) -> None:
    done = command("doctor", broken, "--json")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    bundle = strict(done.stdout)["bundle"]
    assert isinstance(bundle, dict)
    assert "not a number" in bundle["problem"]
    assert b"\nbundle          " in command("doctor", broken).stdout


@pytest.mark.parametrize("name", ["explain", "evaluate", "bench"])
def test_what_needs_answers_is_one_line(command: Command, broken: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "data.tsv").write_text("text\tlabel\nfine\tpositive\n")
    arguments = {
        "explain": (broken, "fine"),
        "evaluate": (broken, "--data", tmp_path / "data.tsv", "--json"),
        "bench": (broken, "--seconds", "0.1", "--threads", "1", "--json"),
    }
    done = command(name, *arguments[name])
    lines = [line for line in done.stderr.decode().splitlines() if "has been busy" not in line]
    assert (done.returncode, done.stdout, len(lines)) == (1, b"", 1)


def test_predict(command: Command, broken: Path) -> None:
    done = command("predict", broken, "--format", "jsonl", stdin=b"fine\n")
    record = strict(done.stdout)
    assert (done.returncode, record["label"], record["score"], record["scores"]) == (1, None, None, {})
