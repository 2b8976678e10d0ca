"""Bundles as caches and stores keep them: files that are links to elsewhere."""

from __future__ import annotations

import hashlib
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.onnx_writer import put_classifier, weights
from helpers.support import Command, put_file

from sentiment_edge import BundleDamaged, BundleInvalid, load, verify

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
OLD = Path(__file__).parents[2] / "data" / "bundle-format-1"


def hub(folder: Path) -> Path:
    """As the Hub's cache: a snapshot of relative links into one folder of blobs."""
    snapshot, blobs = folder.parent / "models--a--b" / "snapshots" / "0123", folder.parent / "models--a--b" / "blobs"
    blobs.mkdir(parents=True)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        blob = path.rename(blobs / hashlib.sha256(path.read_bytes()).hexdigest())
        link = snapshot / path.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return snapshot


def dvc(folder: Path) -> Path:
    """As DVC's cache: each file an absolute link into a folder named after the start of its hash."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        blob = folder.parent / "cache" / "files" / "md5" / digest[:2] / digest[2:]
        blob.parent.mkdir(parents=True, exist_ok=True)
        path.rename(blob).chmod(0o444)
        path.symlink_to(blob)
    return folder


def bazel(folder: Path) -> Path:
    """As Bazel's runfiles: a tree of links to a tree of the same form."""
    runfiles = folder.parent / "app.runfiles" / "main"
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        link = runfiles / path.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    return runfiles


def nix(folder: Path) -> Path:
    """As Nix's profiles: the folder is a link to a link, and nothing in the store may be written."""
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
    profile = folder.parent / "profile"
    profile.symlink_to(folder)
    (folder.parent / "current").symlink_to(profile)
    return folder.parent / "current"


LAYOUTS = [hub, dvc, bazel, nix]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_engine_opens_it(tmp_path: Path, layout: object) -> None:
    assert callable(layout)
    checked = verify(layout(Path(shutil.copytree(OLD, tmp_path / "bundle"))))
    assert checked.passed, checked.failures
    assert not checked.refused
    assert {each.engine for each in checked.conditions} == {"onnxruntime", *(["openvino"] if find_spec("openvino") else [])}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_beside_the_model_are_found(bundle_folder: Path, layout: object) -> None:
    assert callable(layout)
    put_file(bundle_folder, "onnx/model.onnx_data", weights())
    root = layout(put_classifier(bundle_folder, location="model.onnx_data"))
    assert load(root).logits(["good", "bad, and longer"]).tolist() == [[0.25, -0.5]] * 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_changed_behind_its_link_is_refused(bundle_folder: Path, layout: object) -> None:
    assert callable(layout)
    root = layout(bundle_folder)
    model = load(root)
    file = (root / "onnx" / "model_quantized.onnx").resolve()
    contents = bytearray(file.read_bytes())
    contents[99] ^= 1
    file.chmod(0o644)
    file.write_bytes(contents)
    for run in (lambda: model("good"), lambda: load(root)):
        with pytest.raises(BundleDamaged, match=r"model_quantized.onnx has changed"):
            run()


def test_one_file_may_be_a_link(bundle_folder: Path) -> None:
    for name in ("onnx/model_quantized.onnx", "tokenizer.json", "manifest.json"):
        path = bundle_folder / name
        path.symlink_to(path.rename(bundle_folder.parent / path.name))
        assert load(bundle_folder)("good").label == "positive"


def test_checksums_alone_that_lead_out_of_the_folder_are_refused(bundle_folder: Path) -> None:
    path = bundle_folder / "SHA256SUMS"
    outside = path.rename(bundle_folder.parent / "SUMS")
    path.symlink_to(outside)
    with pytest.raises(BundleInvalid, match="SHA256SUMS is a link that leaves the bundle's folder"):
        load(bundle_folder)
    path.unlink()
    outside.rename(bundle_folder / "sums")
    path.symlink_to("sums")
    assert load(bundle_folder)("good").label == "positive"


@pytest.mark.parametrize("target", ["SHA256SUMS", "nothing", "/dev/zero", "/dev/stdin", "."])
@pytest.mark.parametrize("name", ["SHA256SUMS", "manifest.json", "tokenizer.json", "onnx/model_quantized.onnx"])
def test_a_link_to_what_is_no_file_is_refused(bundle_folder: Path, name: str, target: str) -> None:
    path = bundle_folder / name
    path.unlink()
    path.symlink_to(target if target != "SHA256SUMS" else path.name)
    with pytest.raises((BundleDamaged, BundleInvalid, FileNotFoundError), match=str(bundle_folder)):
        load(bundle_folder)


@pytest.mark.parametrize("change", [b"# Edited\r\n", b"", None])
def test_a_changed_or_missing_card_is_no_damage(bundle_folder: Path, command: Command, change: bytes | None) -> None:
    card = bundle_folder / "README.md"
    put_file(bundle_folder, "README.md", card.read_bytes())  # bundles of the first exporter list it
    expected = load(bundle_folder).bundle.fingerprint
    card.unlink() if change is None else card.write_bytes(change)
    assert load(bundle_folder).bundle.fingerprint == expected
    done = command("verify", bundle_folder)
    assert done.returncode == 0, done.stderr


def test_another_card_deeper_in_the_folder_is_a_file_like_others(bundle_folder: Path) -> None:
    put_file(bundle_folder, "docs/README.md", b"text")
    load(bundle_folder)
    (bundle_folder / "docs" / "README.md").write_bytes(b"tex!")
    with pytest.raises(BundleDamaged, match=r"docs/README.md has changed"):
        load(bundle_folder)
