"""What users give as a bundle and is none, or is spelled in another way."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from helpers.support import Command

from sentiment_edge import BundleError, BundleMissing, load, verify
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE


def test_a_tilde_is_expanded(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    monkeypatch.setenv("HOME", str(bundle_folder.parent))
    monkeypatch.setenv("USERPROFILE", str(bundle_folder.parent))
    assert load("~/bundle").bundle.root == bundle_folder
    assert verify("~/bundle").passed
    for arguments in (["predict", "~/bundle"], ["verify", "~/bundle"], ["doctor", "~/bundle"], ["explain", "~/bundle", "good"]):
        done = command(*arguments, stdin=b"good\n")
        assert done.returncode == 0, done.stderr


def test_a_tilde_of_no_user_is_a_name(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bundle_folder.parent)
    Path("bundle").rename("~no-such-user")
    assert load("~no-such-user")("good").label == "positive"


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "bztar", "xztar"])
@pytest.mark.parametrize("named", [True, False])
def test_an_archive_is_told_apart(bundle_folder: Path, kind: str, named: bool) -> None:
    archive = Path(shutil.make_archive(str(bundle_folder.parent / "packed"), kind, bundle_folder))
    if not named:
        archive = archive.rename(archive.parent / "packed")
    with pytest.raises(BundleMissing, match=r"packed\S*: an archive; unpack it first and give the folder"):
        load(archive)


def test_a_7z_archive_is_told_apart_by_its_signature(tmp_path: Path) -> None:
    (tmp_path / "download").write_bytes(b"7z\xbc\xaf\x27\x1c\0\4")
    with pytest.raises(BundleMissing, match="unpack it first"):
        load(tmp_path / "download")


@pytest.mark.parametrize("name", ["manifest.json", "onnx/model_quantized.onnx"])
def test_a_file_of_a_bundle_is_told_apart(bundle_folder: Path, name: str) -> None:
    with pytest.raises(BundleMissing, match=r"a file; give the folder that holds manifest.json"):
        load(bundle_folder / name)


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names are Unicode there")
def test_a_path_that_is_not_utf8_is_named_as_such(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/b\xff")
    shutil.copytree(DEFAULT_BUNDLE, folder)
    with pytest.raises(BundleError, match=r"b\\udcff: the path is not UTF-8.*; rename the folder"):
        load(folder)
    done = command("verify", folder)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"the path is not UTF-8" in done.stderr
    monkeypatch.chdir(folder)
    assert load(".")("good").label == "positive"


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 3000, "~/" + "x" * 5000])
def test_a_path_of_5000_characters_is_one_short_line(name: str, command: Command) -> None:
    with pytest.raises(BundleError) as refusal:
        load(name)
    assert len(str(refusal.value)) < 400
    done = command("verify", name)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)


@pytest.mark.parametrize("name", ["a\0b", "\0", ""])
def test_a_path_that_no_system_has_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError):
        load(name)


def test_a_read_only_folder_of_any_name_answers(bundle_folder: Path) -> None:
    folder = bundle_folder.rename(bundle_folder.with_name("Ünïcode 文件夹 ☃"))
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & 0o555)
    assert load(folder)("I loved it.").label == "positive"
    assert verify(folder).passed
