"""Stderr while a library in Rust may write to it: its panics are kept off, and nothing else is lost, also not by a crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY, crafted

BEGIN = """
import os, sys, threading, time
from sentiment_edge.cli.common.native_stderr import panics_hidden
from sentiment_edge_runtimes.machine.panics import LibraryPanic, panics_raised
"""
ENVIRONMENT = os.environ | {"RUST_BACKTRACE": "full"}


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGIN + program, *arguments], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )


def test_what_is_written_without_a_panic_passes() -> None:
    done = run("""
with panics_hidden():
    print("before", file=sys.stderr)
    os.write(2, b"native before\\n")
    with panics_raised():
        print("within", file=sys.stderr)
        os.write(2, b"native within\\n")
    os.write(2, b"native after\\n")
    print("after", file=sys.stderr)
print("at last", file=sys.stderr)
os.write(2, b"native at last\\n")
""")
    expected = ["before", "native before", "within", "native within", "native after", "after", "at last", "native at last"]
    assert (done.returncode, done.stderr.splitlines()) == (0, expected)


def test_a_panic_leaves_no_line_but_ours(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(crafted(normalizer=CATASTROPHIC))
    program = """
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
def talk():
    while not done:
        print("another thread", file=sys.stderr)
        time.sleep(0.001)
done = False
with panics_hidden():
    thread = threading.Thread(target=talk)
    thread.start()
    for encode in (tokenizer.encode, lambda text: tokenizer.encode_batch_fast([text] * 8)):
        try:
            with panics_raised():
                encode(sys.argv[2])
        except LibraryPanic as error:
            print("ours:", error, file=sys.stderr)
    done = True
    thread.join()
"""
    done = run(program, str(tmp_path / "tokenizer.json"), UNLUCKY)
    lines = done.stderr.splitlines()
    assert [line for line in lines if line != "another thread"] == [
        "ours: Onig: Regex search error: retry-limit-in-match over"
    ] * 2
    assert "another thread" in lines


@pytest.mark.parametrize("end", ["os.abort()", "import ctypes; ctypes.string_at(0)", "raise RuntimeError('unexpected')"])
def test_a_crash_loses_nothing_and_is_told(end: str) -> None:
    done = run(f"""
with panics_hidden():
    print("written before", file=sys.stderr)
    sys.stderr.write("unfinished line; ")
    with panics_raised():
        print("written within", file=sys.stderr)
        {end}
""")
    assert done.returncode != 0
    assert done.stderr.startswith("written before\nunfinished line; written within\n")
    assert ("RuntimeError: unexpected" if end.startswith("raise") else "Fatal Python error") in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="descriptors that are closed at the start")
def test_a_closed_stderr_stays_closed() -> None:
    program = (
        BEGIN
        + """
with panics_hidden():
    with panics_raised():
        print("went on")
"""
    )
    script = 'exec "$0" -c "$1" 2>&-'
    done = subprocess.run(["sh", "-c", script, sys.executable, program], capture_output=True, text=True, check=True)
    assert done.stdout == "went on\n"


def test_a_stderr_that_is_no_file_is_left_alone() -> None:
    done = run("""
import io
sys.stderr = kept = io.StringIO()
with panics_hidden():
    print("kept", file=sys.stderr)
    assert sys.stderr is kept
sys.stderr = sys.__stderr__
print(kept.getvalue(), end="", file=sys.stderr)
""")
    assert (done.returncode, done.stderr) == (0, "kept\n")


def test_without_a_command_the_library_leaves_stderr_alone(tmp_path: Path) -> None:
    """Only the program may decide: a library that moved the process's stderr could lose the user's lines."""
    (tmp_path / "tokenizer.json").write_bytes(crafted(normalizer=CATASTROPHIC))
    done = run(
        f"""
from tokenizers import Tokenizer
try:
    with panics_raised():
        Tokenizer.from_file(sys.argv[1]).encode({json.dumps(UNLUCKY)})
except LibraryPanic:
    print("ours", file=sys.stderr)
""",
        str(tmp_path / "tokenizer.json"),
    )
    assert "panicked at" in done.stderr
    assert done.stderr.endswith("ours\n")
