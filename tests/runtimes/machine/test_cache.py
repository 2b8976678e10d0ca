from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sentiment_edge_runtimes.machine.cache import cache_folder, recall, remember


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SENTIMENT_EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_kept_is_found_under_its_own_key_only() -> None:
    assert recall("kind", "key", 1) is None
    remember(b"first", "kind", "key", 1)
    remember(b"second", "kind", "key", 1)
    assert recall("kind", "key", 1) == b"second"
    assert recall("kind", "key", "1") is recall("other", "key", 1) is None


@pytest.mark.parametrize("length", [0, 10, 64, 68])
def test_a_file_that_was_cut_short_is_ignored(folder: Path, length: int) -> None:
    remember(b"contents", "kind", "key")
    (path,) = (each for each in folder.rglob("*") if each.is_file())
    path.write_bytes(path.read_bytes()[:length])
    assert recall("kind", "key") is None


def test_a_folder_that_cannot_be_written_keeps_nothing(folder: Path) -> None:
    folder.write_text("a file")
    remember(b"contents", "kind", "key")
    assert recall("kind", "key") is None


def test_what_cannot_be_put_in_place_leaves_nothing_behind(folder: Path) -> None:
    remember(b"contents", "kind", "key")
    (path,) = (each for each in folder.rglob("*") if each.is_file())
    path.unlink()
    (path / "a folder").mkdir(parents=True)
    remember(b"contents", "kind", "key")
    assert [*path.parent.iterdir()] == [path]
    assert recall("kind", "key") is None


@pytest.mark.parametrize(("home", "is_one"), [("home", True), ("", False)], ids=["a home", "none"])
def test_the_systems_folder_is_taken_where_the_user_has_a_home(
    tmp_path: Path, home: str, is_one: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    platformdirs = pytest.importorskip("platformdirs")
    monkeypatch.delenv("SENTIMENT_EDGE_CACHE")
    folder = tmp_path / home if home else Path("~")  # as it stays where nothing tells the home
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: folder / name)
    assert cache_folder() == (folder / "sentiment-edge" if is_one else None)


def test_without_the_library_that_finds_the_folder_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENTIMENT_EDGE_CACHE")
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert cache_folder() is None
    remember(b"contents", "kind", "key")
    assert recall("kind", "key") is None
