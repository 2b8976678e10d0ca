from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from helpers.support import edit_manifest, put_file, reseal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_edge import BundleDamaged, BundleError, BundleInvalid, BundleMissing, BundleTooNew, EngineError, load, verify
from sentiment_edge_runtimes.bundle import FORMAT_VERSION, Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

MODEL = "onnx/model_quantized.onnx"
FILES = ["manifest.json", "SHA256SUMS", "config.json", "tokenizer.json", "golden.jsonl", "parity.json", MODEL]


def test_the_default_bundle_opens() -> None:
    bundle = Bundle.open(DEFAULT_BUNDLE)
    assert (bundle.manifest.family, bundle.manifest.precision, bundle.manifest.labels) == (
        "gru-attention",
        "int8",
        ("negative", "positive"),
    )
    assert bundle.manifest.parity["passed"] is True
    assert sum(bundle.manifest.files.values()) <= 3.5e6


def test_checksums_are_in_coreutils_format(bundle_folder: Path) -> None:
    if not shutil.which("sha256sum"):
        pytest.skip("no coreutils here")
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=bundle_folder, check=True, capture_output=True)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(bundle_folder: Path, name: str) -> None:
    (bundle_folder / name).unlink()
    expected = BundleMissing if name == "manifest.json" else BundleDamaged
    with pytest.raises(expected, match=name) as failure:
        load(bundle_folder)
    assert str(failure.value).count(str(bundle_folder)) == 1


@pytest.mark.parametrize("name", [name for name in FILES if name not in {"manifest.json", "SHA256SUMS"}])
def test_a_truncated_file_is_named_with_its_sizes(bundle_folder: Path, name: str) -> None:
    size = (bundle_folder / name).stat().st_size
    os.truncate(bundle_folder / name, size // 2)
    with pytest.raises(BundleDamaged, match=rf"{name} has {size // 2} bytes instead of {size}"):
        load(bundle_folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("position", [0.0, 0.5, 0.999])
def test_a_flipped_bit_is_found(bundle_folder: Path, name: str, position: float) -> None:
    contents = bytearray((bundle_folder / name).read_bytes())
    contents[int(len(contents) * position)] ^= 4
    (bundle_folder / name).write_bytes(contents)
    with pytest.raises(BundleError):
        load(bundle_folder)


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS"])
def test_a_file_of_no_stated_size_is_not_read_beyond_all_measure(bundle_folder: Path, name: str) -> None:
    os.truncate(bundle_folder / name, 2**40)  # which takes no room on the disk
    with pytest.raises(BundleInvalid) as failure:
        load(bundle_folder)
    assert str(failure.value) == f"{bundle_folder}: {name} is too large; export it again"


@pytest.mark.parametrize("name", [name for name in FILES if name != "SHA256SUMS"])
def test_a_file_without_a_checksum_is_named(bundle_folder: Path, name: str) -> None:
    sums = bundle_folder / "SHA256SUMS"
    kept = [line for line in sums.read_text("utf-8").splitlines() if not line.endswith(f"  {name}")]
    sums.write_text("\n".join(kept) + "\n", "utf-8")
    with pytest.raises(BundleDamaged, match=f"SHA256SUMS has no line for {name}"):
        load(bundle_folder)


def test_a_newer_format_asks_for_an_upgrade(bundle_folder: Path) -> None:
    edit_manifest(bundle_folder, format_version=FORMAT_VERSION + 1)
    with pytest.raises(BundleTooNew, match=rf"format {FORMAT_VERSION + 1} is newer than {FORMAT_VERSION}.*upgrade"):
        load(bundle_folder)


@pytest.mark.parametrize(
    "name", ["../tokenizer.json", "/etc/passwd", "C:\\model.onnx", "..\\x", "a/../../b", "\\\\host\\x", "", "a\0b"]
)
def test_a_name_that_leaves_the_folder_is_refused(bundle_folder: Path, name: str) -> None:
    edit_manifest(bundle_folder, files={name: 1}, engines={"onnxruntime": name})
    with pytest.raises(BundleInvalid, match="leaves the bundle's folder"):
        load(bundle_folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": []},
        {"labels": "negative"},
        {"labels": [0, 1]},
        {"engines": {}},
        {"engines": {"onnxruntime": "nothing.onnx"}},
        {"precision": "int3"},
        {"lengths": []},
        {"lengths": [16, 8, 128]},
        {"lengths": [8, 64]},
        {"labels": ["same", "same"]},
        {"max_length": True},
        {"max_length": 1, "lengths": [1]},
        {"max_length": 10**6, "lengths": [10**6]},
        {"pad_id": 2**70},
        {"pad_id": -1},
        {"max_length": 65536, "lengths": [65536], "batch": 65},
        {"batch": 4097},
        {"format_version": 0},
        {"format_version": "1"},
        {"files": {"README.md": "big"}},
        {"parity": None},
    ],
    ids=str,
)
def test_a_malformed_manifest_is_refused(bundle_folder: Path, changes: dict[str, object]) -> None:
    edit_manifest(bundle_folder, **changes)
    with pytest.raises(BundleInvalid):
        load(bundle_folder)


def test_a_key_that_occurs_twice_is_refused(bundle_folder: Path) -> None:
    path = bundle_folder / "manifest.json"
    path.write_text(path.read_text("utf-8").replace('"pad_id": 0,', '"pad_id": 0, "pad_id": 7,'), "utf-8")
    reseal(bundle_folder, "manifest.json")
    with pytest.raises(BundleInvalid, match="the key 'pad_id' occurs twice"):
        load(bundle_folder)


def test_a_key_that_occurs_twice_in_golden_outputs_is_refused(bundle_folder: Path) -> None:
    golden = (bundle_folder / "golden.jsonl").read_bytes()
    put_file(bundle_folder, "golden.jsonl", golden.replace(b'{"text": ', b'{"text": "other", "text": ', 1))
    with pytest.raises(BundleInvalid, match=r"golden.jsonl is malformed \(the key 'text' occurs twice"):
        verify(bundle_folder)


@pytest.mark.parametrize("name", ["model.bin", "model.ort", "model"])
def test_a_model_of_another_format_is_refused(bundle_folder: Path, name: str) -> None:
    put_file(bundle_folder, name, (bundle_folder / MODEL).read_bytes())
    edit_manifest(bundle_folder, engines={"onnxruntime": name})
    with pytest.raises(BundleInvalid, match=f"'{name}' is neither .onnx nor .xml"):
        load(bundle_folder)


@pytest.mark.parametrize("contents", [b"", b"[]", b"null", b"{", b"[" * 100_000, b"\xff\xfe", b'{"format_version": 1}'])
def test_a_manifest_that_is_none_is_refused(bundle_folder: Path, contents: bytes) -> None:
    (bundle_folder / "manifest.json").write_bytes(contents)
    reseal(bundle_folder, "manifest.json")
    with pytest.raises(BundleError):
        load(bundle_folder)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
_manifest = json.loads((DEFAULT_BUNDLE / "manifest.json").read_text("utf-8"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(key=st.sampled_from(sorted(_manifest)), value=_json)
def test_any_manifest_opens_or_is_refused_by_name(bundle_folder: Path, key: str, value: object) -> None:
    edit_manifest(bundle_folder, **{**_manifest, key: value})
    with suppress(BundleError):
        Bundle.open(bundle_folder)


def test_labels_that_are_not_the_models_are_refused(bundle_folder: Path) -> None:
    edit_manifest(bundle_folder, labels=["a", "b", "c"])
    with pytest.raises(EngineError, match="not a classifier of 3 labels"):
        load(bundle_folder)("text")


@pytest.mark.parametrize(
    "name", ["x" * 5000, "onnx/" * 900 + "m", "\udcff.onnx", "a\nb.onnx", "\x1b[31m.onnx", "onnx/*/_ORT_MEM_ADDR_/*"]
)
def test_a_name_that_no_disk_should_hold_is_refused(bundle_folder: Path, name: str) -> None:
    edit_manifest(bundle_folder, files={name: 1}, engines={"onnxruntime": name})
    with pytest.raises(BundleInvalid, match="too long or has characters") as refusal:
        load(bundle_folder)
    assert len(str(refusal.value)) < 250 + len(str(bundle_folder))
    assert str(refusal.value).isprintable()


def test_a_link_to_itself_is_refused(bundle_folder: Path) -> None:
    (bundle_folder / "loop").symlink_to("loop")
    edit_manifest(bundle_folder, files={**_manifest["files"], "loop": 1})
    with pytest.raises(BundleError):
        load(bundle_folder)


def test_a_model_that_is_not_onnx_is_named(bundle_folder: Path) -> None:
    put_file(bundle_folder, MODEL, b"nonsense")
    with pytest.raises(EngineError, match="ONNX Runtime cannot load it"):
        load(bundle_folder)("text")
