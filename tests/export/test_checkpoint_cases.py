"""Small checkpoints in the shapes that people publish: each becomes a bundle with its golden answers, or one clear line."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers.invocation import invoke

from sentiment_edge import load
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.tokenization import TextTokenizer
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.support import Command

GOLDEN = (
    "cardiff_xlmr",
    "deberta_v3",
    "mobilebert",
    "modernbert",
    "nlptown",
    "no_architectures",
    "no_postproc",
    "rob_prefix",
    "strip_cfg",
    "xlnetj",
)
"""Cases with the ids of the tokenizer that such models were trained with, and torch's logits on these."""
REFUSED = {
    "bertweet": "cleans tweets",
    "gpt2": "decoder",
    "kobert_remote": "never runs",
    "longformer": "Longformer",
    "peft": "adapter",
}
"""Cases that cannot be exported, and a word of the reason."""
_FOUR_GB = 4e9
_WITH_PEAK = """
from pathlib import Path
from sentiment_edge.__main__ import main

try:
    main()
except SystemExit as end:
    assert not end.code
(peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(peak.split()[1])
"""
"""Runs the command and prints the most memory that it held, in kB. What the system says of a child counts its parent too."""


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_answers(shared: Callable[[str], Path], tmp_path: Path, case: str) -> None:
    checkpoint = shared(f"cases/checkpoints/{case}")
    engines = [f"--engine={engine}" for engine in ENGINES]
    done = invoke("export", "--model", checkpoint, "--output", tmp_path / "out", *engines)
    assert done.returncode == 0, done.stderr.decode()
    golden = [json.loads(line) for line in (checkpoint / "golden.jsonl").read_text("utf-8").split("\n") if line]
    texts = [row["text"] for row in golden]
    tokens = TextTokenizer(Bundle.open(tmp_path / "out"), threads=1).encode(texts)
    assert [text.ids for text in tokens] == [row["ids"] for row in golden]
    for engine in ENGINES:
        logits = load(tmp_path / "out", engine=engine).logits(texts)
        assert np.abs(logits - np.array([row["logits"] for row in golden])).max() <= 1e-4, engine


@pytest.mark.parametrize("case", REFUSED)
def test_one_clear_line(shared: Callable[[str], Path], tmp_path: Path, command: Command, case: str) -> None:
    checkpoint = shared(f"cases/checkpoints/{case}")
    done = command("export", "--model", checkpoint, "--output", tmp_path / "out", stdin=b"y\ny\n")
    assert done.returncode == 1
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert REFUSED[case] in line
    assert not any(tmp_path.iterdir())


def test_prefix_of_a_wrapper_is_stripped(shared: Callable[[str], Path], tmp_path: Path) -> None:
    checkpoint = shared("cases/checkpoints/module_prefix")
    done = invoke("export", "--model", checkpoint, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell a process's memory in another way")
def test_long_contexts_in_bounded_memory(shared: Callable[[str], Path], tmp_path: Path) -> None:
    checkpoint = shared("cases/checkpoints/modernbert")
    arguments = ["export", "--model", checkpoint, "--int8", "--output", tmp_path / "out"]
    done = subprocess.run([sys.executable, "-c", _WITH_PEAK, *map(str, arguments)], capture_output=True, check=True)
    assert int(done.stdout.split()[-1]) * 1024 <= _FOUR_GB
