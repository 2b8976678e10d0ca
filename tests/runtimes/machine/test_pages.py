"""Memory given back and memory in large pages: what is in it stays the same."""

from __future__ import annotations

import ctypes
import mmap
import platform
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sentiment_edge_runtimes.machine import pages
from sentiment_edge_runtimes.machine.pages import Settling, give_back, give_back_freed, make_large

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
SIZE = 2**22
CONTENTS = np.random.default_rng(0).bytes(SIZE)


def mapped_bytes(name: str, field: str) -> int:
    """Return the sum of a field of smaps over the regions of a file, or of memory without a name."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_bytes().decode().split("\n")[:-1]:
        first, *others = line.split(maxsplit=5)
        if not first.endswith(":"):
            inside = (others[-1] if len(others) == 5 else "") == name
        elif inside and first == f"{field}:":
            found += 1024 * int(others[0])
    return found


def filled_memory() -> NDArray[np.uint8]:
    """Return memory that the system has just given: what a program frees would serve an allocation of this size again."""
    memory = mmap.mmap(-1, 4 * SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[:] = CONTENTS * 4
    return np.frombuffer(memory, np.uint8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "with a space,\ra return and \u2028"
    path.write_bytes(CONTENTS)
    return path


@linux
def test_a_file_that_was_read_is_given_back_and_reads_the_same(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as read:
        assert read[:] == CONTENTS
        assert mapped_bytes(str(file), "Rss") == SIZE
        give_back(link)
        assert mapped_bytes(str(file), "Rss") == 0
        assert read[:] == CONTENTS


@linux
def test_what_was_written_into_a_mapped_file_is_kept(file: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY) as copy:
        copy[:4] = b"mine"
        give_back(file)
        assert copy[:] == b"mine" + CONTENTS[4:]


def test_a_file_that_nobody_maps_or_that_is_missing(tmp_path: Path) -> None:
    give_back(tmp_path / "missing")


@linux
def test_large_pages_hold_what_the_small_ones_held() -> None:
    arrays = [np.frombuffer(CONTENTS, np.uint8).copy() for _ in range(8)]
    before = mapped_bytes("", "AnonHugePages")
    worker = threading.Thread(target=make_large)
    worker.start()
    sums = [array.sum() for array in arrays]  # read meanwhile
    worker.join()
    assert all(array.tobytes() == CONTENTS for array in arrays)
    assert sums == [array.sum() for array in arrays]
    assert mapped_bytes("", "AnonHugePages") >= before


@linux
def test_memory_of_before_the_model_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    older = filled_memory()
    others = tuple(pages._regions())  # noqa: SLF001
    newer = filled_memory()
    advised: list[tuple[int, int]] = []
    monkeypatch.setattr(pages, "_advise", lambda start, end, _: advised.append((start, end)))
    make_large(others)
    first, last = older.ctypes.data, older.ctypes.data + len(older)
    assert not [span for span in advised if span[0] < last and first < span[1]]
    first, last = newer.ctypes.data, newer.ctypes.data + len(newer)
    assert [span for span in advised if first <= span[0] and span[1] <= last]


@linux
def test_memory_that_was_never_touched_takes_none_for_large_pages() -> None:
    empty = mmap.mmap(-1, 64 * SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # nothing of it is in memory
    before = mapped_bytes("", "Rss")
    make_large()
    assert mapped_bytes("", "Rss") - before < len(empty) / 2
    empty.close()


@pytest.mark.parametrize("switch", ["always madvise [never]\n", ""], ids=["unwanted", "unknown"])
def test_a_system_that_wants_no_large_pages_gets_none(switch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "enabled").write_text(switch)
    monkeypatch.setattr(pages, "_SWITCH", tmp_path / "enabled")
    monkeypatch.setattr(pages, "Thread", lambda **_: pytest.fail("begun all the same"))
    Settling(0).ran(1000)


@pytest.mark.parametrize(("size", "seconds"), [(0, 0.5), (2 * 10**8, 3)], ids=["small", "large"])
def test_pages_become_large_once_when_a_model_has_run_long_enough_for_its_size(
    size: int, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    monkeypatch.setattr(pages, "_SWITCH", tmp_path / "enabled")
    called = threading.Semaphore(0)
    monkeypatch.setattr(pages, "make_large", lambda *_: called.release())
    settling = Settling(size)
    for _ in range(9):
        settling.ran(seconds / 10)
    assert not called.acquire(timeout=0.1)
    others = [threading.Thread(target=settling.ran, args=(seconds,)) for _ in range(8)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join()
    assert called.acquire(timeout=60)
    assert not called.acquire(timeout=0.1)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc only")
def test_memory_that_was_freed_is_given_back() -> None:
    blocks = [np.full(2**16, 1, np.uint8) for _ in range(1000)]  # each of them too small to be mapped on its own
    kept = [*blocks[::10], blocks[-1]]
    full = mapped_bytes("[heap]", "Rss")
    blocks.clear()
    give_back_freed()
    assert mapped_bytes("[heap]", "Rss") < full - 2**24
    assert all(block.all() for block in kept)


@pytest.fixture
def _unremembered() -> Iterator[None]:
    """Have the C library's functions looked for anew, now and after the test."""
    pages._c_function.cache_clear()  # noqa: SLF001
    yield
    pages._c_function.cache_clear()  # noqa: SLF001


@pytest.mark.usefixtures("_unremembered")
def test_another_system_has_none_of_it(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    def missing(path: Path) -> bytes:
        raise FileNotFoundError(path)

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(Path, "read_bytes", missing)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: pytest.fail("looked for in its library"))
    give_back(file)
    give_back_freed()
    make_large()


@linux
@pytest.mark.usefixtures("_unremembered")
def test_a_c_library_without_the_functions_gives_nothing_back(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: object())
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as read:
        assert read[:] == CONTENTS
        give_back(file)
        give_back_freed()
        assert mapped_bytes(str(file), "Rss") == SIZE
