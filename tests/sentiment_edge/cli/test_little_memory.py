"""A limit of memory that is too low for the work: one line to stderr, nothing to stdout that is no answer, and an end."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers.threaded_bundle import as_encoder
from packaging.version import Version

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("resource", reason="limits of memory are POSIX's")
HANGS = 120
LIMITED = """
import resource, sys
sys.argv[1:], megabytes = sys.argv[2:], int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20,) * 2)
import sentiment_edge.__main__ as program
program.main()
"""
TELL = "sentiment-edge: "
NATIVE = ("OpenBLAS", "terminate called", "  what():", "memory allocation of")
"""First words of what libraries say that end the process themselves."""


@pytest.mark.skipif(Version(np.__version__) < Version("2.4.6"), reason="an older numpy may wait for ever for memory")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems reserve addresses as they please")
@pytest.mark.parametrize("threads", [1, 40])
@pytest.mark.parametrize("megabytes", range(120, 600, 80))
def test_too_little_memory_ends_a_run_in_one_line(bundle_folder: Path, megabytes: int, threads: int) -> None:
    lines = b"fine\ndreadful\n" * 20
    bundle = as_encoder(bundle_folder)
    program = [sys.executable, "-c", LIMITED, str(megabytes), "predict", str(bundle), "--engine", "onnxruntime"]
    program += ["--threads", str(threads)]
    done = subprocess.run(program, input=lines, capture_output=True, timeout=HANGS, check=False)
    errors = done.stderr.decode().splitlines()
    assert all(line.split(b"\t")[0] in {b"positive", b"negative"} for line in done.stdout.splitlines())
    if done.returncode == 0:
        assert (len(done.stdout.splitlines()), errors) == (40, [])
    elif not any(line.startswith(NATIVE) for line in errors):
        assert len(errors) == 1, errors
        assert errors[0].startswith(TELL)
