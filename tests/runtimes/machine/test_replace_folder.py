"""A folder put in place whole, on systems that exchange names and on those that cannot, and what killed programs left."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sentiment_edge_runtimes.machine import scratch
from sentiment_edge_runtimes.machine.exchange import replace_folder
from sentiment_edge_runtimes.machine.scratch import NEW, REPLACED, clean_up, scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable

fcntl = pytest.importorskip("fcntl", reason="Windows has neither locks nor names to exchange")
NAMES = {"linux": "renameat2", "darwin": "renamex_np"}


class Library:
    """A C library that has at most one way to exchange names, which fails with a number."""

    def __init__(self, function: str | None = None, failure: int = 0) -> None:
        self.asked: list[str] = []

        def exchange(*_: object) -> int:
            self.asked.append(str(function))
            ctypes.set_errno(failure)
            return -1

        if function is not None:
            setattr(self, function, exchange)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A new folder, the old one in its place, and a free name."""
    for name in ("new", "place"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "file").write_text(name)
    return tmp_path / "new", tmp_path / "place", tmp_path / "aside"


def held(folder: Path) -> str:
    return (folder / "inner" / "file").read_text()


def test_where_nothing_is_the_new_folder_is_put(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    new, _, aside = folders
    replace_folder(new, tmp_path / "free", aside)
    assert (held(tmp_path / "free"), new.exists(), aside.exists()) == ("new", False, False)


def test_the_new_folder_takes_the_place_of_the_old_one(folders: tuple[Path, Path, Path]) -> None:
    new, place, aside = folders
    replace_folder(new, place, aside)
    assert held(place) == "new"
    assert held(new if new.exists() else aside) == "place"


@pytest.mark.parametrize("system", NAMES)
@pytest.mark.parametrize("failure", [None, errno.ENOSYS, errno.EINVAL], ids=["no function", "an old kernel", "a file system"])
def test_without_an_exchange_the_old_folder_steps_aside(
    folders: tuple[Path, Path, Path], system: str, failure: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, place, aside = folders
    library = Library() if failure is None else Library(NAMES[system], failure)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: library)
    replace_folder(new, place, aside)
    assert (held(place), held(aside), new.exists()) == ("new", "place", False)
    assert library.asked == [] if failure is None else [NAMES[system]]


@pytest.mark.parametrize("system", NAMES)
def test_an_exchange_that_is_forbidden_leaves_the_old_folder(
    folders: tuple[Path, Path, Path], system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, place, aside = folders
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Library(NAMES[system], errno.EACCES))
    with pytest.raises(PermissionError) as refusal:
        replace_folder(new, place, aside)
    assert refusal.value.filename == str(place)
    assert (held(place), held(new), aside.exists()) == ("place", "new", False)


def test_a_new_folder_that_cannot_be_renamed_leaves_the_old_one(
    folders: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    new, place, aside = folders
    rename = Path.rename

    def refuse_new(path: Path, target: Path) -> Path:
        if path == new:
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Library())
    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(OSError, match="No space left"):
        replace_folder(new, place, aside)
    assert (held(place), held(new), aside.exists()) == ("place", "new", False)


def failing_on_folders(number: int) -> Callable[[int], None]:
    flush = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        flush(descriptor)

    return fsync


def test_a_file_system_that_flushes_no_folders_will_do(
    folders: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    new, place, aside = folders
    monkeypatch.setattr(os, "fsync", failing_on_folders(errno.EINVAL))
    replace_folder(new, place, aside)
    assert held(place) == "new"


def test_a_disk_that_fails_leaves_the_old_folder(folders: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    new, place, aside = folders
    monkeypatch.setattr(os, "fsync", failing_on_folders(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        replace_folder(new, place, aside)
    assert (held(place), held(new), aside.exists()) == ("place", "new", False)


def left_over(output: Path) -> Path:
    """Return a folder like that of a program that was killed before it was done."""
    with scratch_folder(output) as running:
        (running / NEW).mkdir()
        return running.rename(running.with_name(f"{running.name}-killed"))


def test_what_killed_programs_left_goes_and_what_runs_stays(tmp_path: Path) -> None:
    output, other = tmp_path / "folder", tmp_path / "other"
    killed, of_another = left_over(output), left_over(other)
    with scratch_folder(output) as running:
        clean_up(output)
        assert running.is_dir()
        assert not killed.exists()
        assert of_another.is_dir()
    assert not running.exists()


def test_a_file_that_only_looks_like_a_left_folder_stays(tmp_path: Path) -> None:
    killed = left_over(tmp_path / "folder")
    file = killed.with_name(f"{killed.name}-file")
    file.write_text("someone's")
    clean_up(tmp_path / "folder")
    assert [*tmp_path.iterdir()] == [file]
    assert file.read_text() == "someone's"


@pytest.mark.parametrize("replaced", [False, True], ids=["nothing is there", "the new one is there"])
def test_a_folder_that_was_set_aside_is_put_back_where_nothing_is(tmp_path: Path, *, replaced: bool) -> None:
    output = tmp_path / "folder"
    killed = left_over(output)
    (killed / REPLACED).mkdir()
    (killed / REPLACED / "file").write_text("old")
    if replaced:
        output.mkdir()
        (output / "file").write_text("new")
    clean_up(output)
    assert (output / "file").read_text() == ("new" if replaced else "old")
    assert [*tmp_path.iterdir()] == [output]


def test_a_folder_that_others_clean_up_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, taken = fcntl.flock, list[Path]()

    def late(descriptor: int, operation: int) -> None:
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].rmdir()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with scratch_folder(tmp_path / "folder") as folder:
        assert [folder] == [*tmp_path.iterdir()] != taken


@pytest.mark.parametrize("system", ["without locks", "a file system without locks"])
def test_without_locks_a_folder_is_made_all_the_same(tmp_path: Path, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    if system == "without locks":
        monkeypatch.setattr(scratch, "fcntl", None)
    else:
        monkeypatch.setattr(fcntl, "flock", refuse)
    with scratch_folder(tmp_path / "folder") as folder:
        (folder / "file").write_text("whole")
    assert not [*tmp_path.iterdir()]
