"""A node's copy of a bundle: real processes start at once, end, fail and are killed; one copy is made, and none is left."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.waiting import eventually

pytest.importorskip("fcntl", reason="copies on a node are locked as POSIX systems do it")

from sentiment_edge.bulk.node_copy import NodeCopy

Start = Callable[..., subprocess.Popen[str]]
_HOLDER = """
import sys, time
from pathlib import Path
from sentiment_edge.bulk.node_copy import NodeCopy

home, name, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])

def write(folder):
    with open(home.parent / "written", "a") as log:
        log.write(name + chr(10))
    (folder / "model").write_text("first half, ")
    print("writes", flush=True)
    time.sleep(seconds)
    (folder / "model").write_text("first half, second half")

copy = NodeCopy(name, write, home)
print((copy.folder / "model").read_text(), flush=True)
sys.stdin.readline()
copy.release()
print("released", flush=True)
sys.stdin.readline()
"""
_WHOLE = "first half, second half\n"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start processes that get a copy, print what is in it, and release it at the first line that they read."""
    started = []

    def start_one(name: str = "abc", seconds: float = 0.2) -> subprocess.Popen[str]:
        program = [sys.executable, "-c", _HOLDER, str(tmp_path / "home"), name, str(seconds)]
        process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def _says(process: subprocess.Popen[str]) -> str:
    """Return the next line of a process, past the one that says that it writes."""
    assert process.stdout is not None
    line = process.stdout.readline()
    return process.stdout.readline() if line == "writes\n" else line


def _go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "home").iterdir())


def _await_left(tmp_path: Path, names: list[str]) -> None:
    """Wait for a removal: by the last process that let go, or by the program that waited for the same lock."""
    eventually(lambda: _left(tmp_path) == names)


def test_many_that_start_at_once_make_one_copy_and_the_last_removes_it(start: Start, tmp_path: Path) -> None:
    holders = [start() for _ in range(8)]
    assert [_says(holder) for holder in holders] == [_WHOLE] * 8
    assert (tmp_path / "written").read_text() == "abc\n"
    for holder in holders:
        assert _left(tmp_path) == [".lock", "abc", "abc.lock"]
        _go_on(holder)
        assert _says(holder) == "released\n"
    _await_left(tmp_path, [".lock"])


def test_whoever_comes_after_the_last_makes_it_anew(start: Start, tmp_path: Path) -> None:
    for _ in range(2):
        holder = start()
        assert _says(holder) == _WHOLE
        _go_on(holder)
        assert _says(holder) == "released\n"
        _await_left(tmp_path, [".lock"])
    assert (tmp_path / "written").read_text() == "abc\n" * 2


def test_a_copy_of_killed_processes_goes_by_itself_and_others_stay(start: Start, tmp_path: Path) -> None:
    killed, alive = [start(), start()], start("other")
    for holder in [*killed, alive]:
        assert _says(holder) == _WHOLE
    killed[0].kill()
    killed[0].wait()
    assert _left(tmp_path) == [".lock", "abc", "abc.lock", "other", "other.lock"]
    killed[1].kill()
    _await_left(tmp_path, [".lock", "other", "other.lock"])


def test_what_nobody_was_left_to_remove_goes_with_the_next_of_any_bundle(start: Start, tmp_path: Path) -> None:
    for name in ("old", "old.half"):
        (tmp_path / "home" / name).mkdir(parents=True)
    (tmp_path / "home" / "old.lock").touch()
    assert _says(start()) == _WHOLE
    assert _left(tmp_path) == [".lock", "abc", "abc.lock"]


def test_a_half_copy_of_a_killed_writer_goes_by_itself(start: Start, tmp_path: Path) -> None:
    writer = start(seconds=600)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writes\n"
    assert "abc.half" in _left(tmp_path)
    writer.kill()
    _await_left(tmp_path, [".lock"])


@pytest.mark.parametrize("next_name", ["abc", "other"])
def test_a_writer_killed_halfway_leaves_no_half_to_anyone(start: Start, tmp_path: Path, next_name: str) -> None:
    writer = start(seconds=600)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writes\n"
    assert "abc.half" in _left(tmp_path)
    waiting = start(next_name)
    writer.kill()
    assert _says(waiting) == _WHOLE
    assert _left(tmp_path) == [".lock", next_name, f"{next_name}.lock"]


def test_a_write_that_fails_leaves_nothing_and_the_next_succeeds(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "model").write_text("first half, ")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        NodeCopy("abc", fail, tmp_path / "home")
    _await_left(tmp_path, [".lock"])
    copy = NodeCopy("abc", lambda folder: (folder / "model").touch(), tmp_path / "home")
    assert (copy.folder / "model").exists()
    copy.release()
    copy.release()
    _await_left(tmp_path, [".lock"])


def test_two_of_one_process_are_two(tmp_path: Path) -> None:
    first, second = (NodeCopy("abc", lambda folder: (folder / "model").touch(), tmp_path / "home") for _ in range(2))
    first.release()
    assert (second.folder / "model").exists()
    second.release()
    _await_left(tmp_path, [".lock"])


def test_a_home_of_someone_else_and_a_link_to_ones_own_are_refused(tmp_path: Path) -> None:
    others, link = tmp_path / "others", tmp_path / "link"
    others.mkdir()
    if os.getuid() == 0:
        os.chown(others, 65534, -1)
    else:
        others = Path("/")
    (tmp_path / "poetry").mkdir()
    (tmp_path / "poetry.lock").touch()
    link.symlink_to(tmp_path)
    for home in (others, link):
        with pytest.raises(PermissionError, match="belongs to someone else, or is a link; set TMPDIR"):
            NodeCopy("abc", lambda _: None, home)
    assert (tmp_path / "poetry").is_dir()
