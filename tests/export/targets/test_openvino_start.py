"""The start of a bundle on OpenVINO: what the first answer leaves in memory, and what a second start does not load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers.exports import Exports

from sentiment_edge_runtimes.batching import pad
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.vocabulary import ENGINES

START = """
import json, sys
from sentiment_edge import load
logits = load(sys.argv[1], engine="openvino", threads=1).logits(["good film"])
print(json.dumps([logits.tolist(), sorted({"onnxruntime", "openvino.tools.ovc", "openvino"} & set(sys.modules))]))
"""


@pytest.fixture
def folder(exports: Exports) -> Path:
    """A static int8 bundle."""
    return exports("bert", engines=ENGINES, precision="int8").bundle.root


def resident(file: Path) -> list[int]:
    """Return how many bytes of each mapping of a file are in this process's memory."""
    found: list[int] = []
    inside = False
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        first, *others = line.split(maxsplit=5)
        if not first.endswith(":"):
            inside = others[-1] == str(file.resolve())
        elif inside and first == "Rss:":
            found.append(1024 * int(others[0]))
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_weights_that_were_copied_are_not_in_memory_twice(folder: Path) -> None:
    bundle = Bundle.open(folder)
    weights = folder / "openvino/openvino_model.bin"
    for _ in ("compiled", "from the cache"):
        engine = open_engine(bundle, "openvino", threads=1)
        batch = pad([[1, 2, 3, 4]], 8, bundle.manifest.pad_id)
        first = engine(*batch)
        assert {*resident(weights)} == {0}
        assert np.array_equal(engine(*batch).logits, first.logits)


def test_first_answers_asked_for_at_once_are_those_of_later_ones(folder: Path) -> None:
    bundle = Bundle.open(folder)
    batches = [pad([[1 + row % 9] * (1 + row)], 16, bundle.manifest.pad_id) for row in range(16)]
    engine = open_engine(bundle, "openvino", threads=2)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda batch: engine(*batch).logits, batches))
    assert all(np.array_equal(logits, engine(*batch).logits) for logits, batch in zip(together, batches, strict=True))


def test_a_second_start_loads_neither_the_other_engine_nor_the_converter(folder: Path, tmp_path: Path) -> None:
    def started() -> tuple[list[list[float]], list[str]]:
        variables = os.environ | {"SENTIMENT_EDGE_CACHE": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", START, folder], env=variables, check=True, capture_output=True)
        logits, loaded = json.loads(done.stdout)
        return logits, loaded

    first, second = started(), started()
    assert first == (second[0], ["onnxruntime", "openvino"])  # which tests this CPU's int8 products
    assert second[1] == ["openvino"]
