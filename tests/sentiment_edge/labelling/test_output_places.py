"""The output of `predict` on devices, pipes, links and full disks, beside another run, and stopped by Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from helpers.invocation import invoke
from helpers.predicting import LABELLED, TABLE, contents_of, refused
from helpers.support import Command

PROGRAM = [sys.executable, "-m", "sentiment_edge", "predict"]
HANGS = 600


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(TABLE)
    return path


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_a_device_that_is_full(table: Path, form: str) -> None:
    line = refused("--input", table, "--output", "/dev/full", "--format", form)
    assert line == "sentiment-edge: /dev/full: No space left on device"
    assert invoke("predict", "--input", table, "--output", os.devnull, "--format", form).returncode == 0


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Give a folder on a disk of so many bytes."""
    folder.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("no disk can be mounted here")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs")
@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_a_full_disk_gets_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow", reason="needs the extra parquet")
        monkeypatch.setattr("sentiment_edge.labelling.writers.parquet._ROWS", 64)
    monkeypatch.setattr("sentiment_edge.labelling.waiting._ROWS", 32)
    source, whole = tmp_path / "a.jsonl", tmp_path / f"whole.{form}"
    source.write_text("".join(json.dumps({"text": "fine", "note": os.urandom(150).hex()}) + "\n" for _ in range(600)))
    assert invoke("predict", "--input", source, "--output", whole).returncode == 0
    with small_disk(tmp_path / "disk", 2**16) as disk:
        done = invoke("predict", "--input", source, "--output", disk / f"out.{form}")
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.decode().splitlines()[-1] == f"sentiment-edge: {disk / f'out.{form}'}: No space left on device"
        left = {*contents_of(disk)}
        assert f"out.{form}" not in left
        if form in {"json", "parquet"}:
            assert left == set()
            return
        assert b"--resume goes on after them" in done.stderr
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        done = invoke("predict", "--input", source, "--output", disk / f"out.{form}", "--resume")
        assert done.returncode == 0, done.stderr
        assert contents_of(disk) == {f"out.{form}": whole.read_bytes()}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_that_may_not_grow_further(tmp_path: Path, form: str) -> None:
    resource = pytest.importorskip("resource")
    source, out = tmp_path / "a.csv", tmp_path / f"out.{form}"
    source.write_text("text,note\n" + "".join(f"fine,{os.urandom(99).hex()}\n" for _ in range(3000)))
    command = [*PROGRAM, "--input", str(source), "--output", str(out)]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (2**18, 2**18))
    done = subprocess.run(command, capture_output=True, check=False, timeout=HANGS, preexec_fn=limit)
    assert (done.returncode, done.stdout) == (1, b"")
    *kept, line = done.stderr.decode().splitlines()
    assert line == f"sentiment-edge: {out}: File too large"
    assert len(kept) == (form == "csv")
    assert {*contents_of(tmp_path)} == {"a.csv"} | ({"out.csv.part", "out.csv.part.json"} if kept else set())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO here")
def test_a_fifo_takes_the_rows_and_stays_one(table: Path, tmp_path: Path) -> None:
    fifo, taken = tmp_path / "fifo", list[bytes]()
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: taken.append(fifo.read_bytes()))
    reader.start()
    assert invoke("predict", "--input", table, "--output", fifo).returncode == 0
    reader.join(HANGS)
    assert taken == [LABELLED]
    assert fifo.is_fifo()
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "fifo"}


def test_a_link_is_written_through(table: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to(Path("real") / "out.csv")
    for _ in range(2):  # it leads nowhere at first
        assert invoke("predict", "--input", table, "--output", link).returncode == 0
        assert link.is_symlink()
        assert contents_of(tmp_path / "real") == {"out.csv": LABELLED}


@contextmanager
def piped(*arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command on a pipe."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*PROGRAM, *map(str, arguments)], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def send(process: subprocess.Popen[bytes], lines: bytes, part: Path) -> None:
    """Send lines and wait until the file has as many more."""
    assert process.stdin is not None
    wanted = lines.count(b"\n") + (part.read_bytes().count(b"\n") if part.exists() else 0)
    process.stdin.write(lines)
    process.stdin.flush()
    hangs = time.monotonic() + HANGS
    while not part.exists() or part.read_bytes().count(b"\n") < wanted:
        assert process.poll() is None
        assert time.monotonic() < hangs
        time.sleep(0.01)


def test_one_run_at_a_time_writes_a_file(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="no locks here")
    out, part = tmp_path / "out.tsv", tmp_path / "out.tsv.part"
    with piped("--output", out) as process:
        send(process, b"Dreadful.\n", part)
        for more in ((), ("--resume",)):
            line = refused("--input", table, "--output", out, *more)
            assert line == f"sentiment-edge: {out}: another run is writing it; wait for its end, or choose another --output"
        send(process, b"I loved it.\n", part)
        stdout, stderr = process.communicate()
        assert (process.returncode, stdout, stderr) == (0, b"", b"")
    assert [line.split(b"\t")[0] for line in out.read_bytes().splitlines()] == [b"negative", b"positive"]
    assert {*contents_of(tmp_path)} == {"a.csv", "out.tsv"}


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("name", ["out.tsv", "out.jsonl", "out.json"])
def test_ctrl_c_keeps_what_is_of_use(tmp_path: Path, name: str) -> None:
    part = tmp_path / f"{name}.part"
    with piped("--output", tmp_path / name) as process:
        send(process, b"Dreadful.\nI loved it.\n", part)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
    assert (process.returncode, stdout) == (130, b"")
    if name == "out.json":
        assert (stderr, contents_of(tmp_path)) == (b"", {})
        return
    assert stderr.decode() == f"sentiment-edge: what is done lies in {part}\n"
    assert {*contents_of(tmp_path)} == {part.name}
    assert part.read_bytes().count(b"\n") == 2


def test_parquet_is_no_file_where_its_library_is_missing(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "[parquet]" in refused("--input", table, "--output", tmp_path / "out.parquet")
    assert contents_of(tmp_path) == {"a.csv": TABLE}


def test_parquet_is_nothing_for_a_terminal(command: Command, table: Path) -> None:
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()
    done = subprocess.run(
        [*PROGRAM, "--input", str(table), "--format", "parquet"],
        stdout=terminal,
        stderr=subprocess.PIPE,
        check=False,
        timeout=HANGS,
    )
    os.close(terminal)
    with suppress(OSError):
        assert os.read(controller, 1) == b""
    os.close(controller)
    assert done.returncode == 1
    assert done.stderr == (
        b"sentiment-edge: Parquet is nothing for a terminal; name a file by --output, or choose --format csv\n"
    )
    assert command("predict", "--input", table, "--format", "parquet").stdout.startswith(b"PAR1")
