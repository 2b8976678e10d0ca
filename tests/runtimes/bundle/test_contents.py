"""A bundle whose files change after it was opened: what was checked is what runs, or nothing."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
from functools import partial
from pathlib import Path

import pytest
from helpers.onnx_writer import classifier, put_classifier, weights
from helpers.openvino_bundle import IR, add_openvino
from helpers.support import put_file

from sentiment_edge import BundleDamaged, Classifier, EngineError, load, verify
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.bundle import contents as contents_module
from sentiment_edge_runtimes.bundle.contents import Contents, Identity, sha256
from sentiment_edge_runtimes.engines.loader import open_engine

MODEL = "onnx/model_quantized.onnx"
HANGS = 600


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every file for one written long ago, so that identities alone decide."""
    monkeypatch.setattr(contents_module, "_SETTLED", -(10**18))


def swap(folder: Path, name: str = MODEL) -> Path:
    """Put a forged model of the same size in place of the right one; return where that is kept."""
    path, kept = folder / name, folder.parent / "kept"
    path.rename(kept)
    forged = bytearray(kept.read_bytes())
    forged[len(forged) // 2] ^= 1
    path.write_bytes(forged)
    return kept


@pytest.mark.usefixtures("settled")
def test_a_model_swapped_before_the_first_use_is_refused(bundle_folder: Path) -> None:
    model = load(bundle_folder)
    swap(bundle_folder)
    for _ in range(2):
        with pytest.raises(BundleDamaged, match=f"{MODEL} has changed"):
            model("good")


@pytest.mark.usefixtures("settled")
def test_a_model_swapped_and_put_back_works(bundle_folder: Path) -> None:
    expected = load(bundle_folder)("good")
    model = load(bundle_folder)
    kept = swap(bundle_folder)
    with pytest.raises(BundleDamaged):
        model("good")
    kept.replace(bundle_folder / MODEL)
    assert model("good") == expected


@pytest.mark.usefixtures("settled")
def test_a_model_overwritten_in_place_with_its_old_times_is_refused(bundle_folder: Path) -> None:
    model, path = load(bundle_folder), bundle_folder / MODEL
    times = path.stat()
    contents = bytearray(path.read_bytes())
    contents[9] ^= 1
    path.write_bytes(contents)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(BundleDamaged, match=f"{MODEL} has changed"):
        model("good")


def test_a_change_that_leaves_no_trace_in_the_times_is_found(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that counts in seconds: a file that is so new is hashed again."""

    whole = Identity.of

    def coarse(status: os.stat_result) -> Identity:
        return whole(status)._replace(inode=0, modified=0, changed=0)

    monkeypatch.setattr(Identity, "of", coarse)
    model = load(bundle_folder)
    swap(bundle_folder)
    with pytest.raises(BundleDamaged, match=f"{MODEL} has changed"):
        model("good")


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("swapped", [IR, IR.replace(".xml", ".bin")])
def test_both_files_of_an_ir_are_compared(bundle_folder: Path, swapped: str) -> None:
    model = load(add_openvino(bundle_folder), engine="openvino")
    swap(bundle_folder, swapped)
    with pytest.raises(BundleDamaged, match=f"{swapped} has changed"):
        model("good")


@pytest.mark.usefixtures("settled")
def test_weights_beside_a_model_are_compared(bundle_folder: Path) -> None:
    put_file(bundle_folder, "onnx/data", weights())
    model = load(put_classifier(bundle_folder, location="data"))
    (bundle_folder / "onnx" / "data").write_bytes(weights()[4:] + weights()[:4])
    with pytest.raises(BundleDamaged, match="onnx/data has changed"):
        model("good")


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_bytes(b""), lambda path: (path.unlink(), path.mkdir())]
)
def test_a_file_that_is_gone_is_named(bundle_folder: Path, damage: object) -> None:
    assert callable(damage)
    model = load(bundle_folder)
    damage(bundle_folder / MODEL)
    with pytest.raises(BundleDamaged, match=MODEL):
        model("good")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_a_files_place_is_refused_at_once(bundle_folder: Path) -> None:
    model = load(bundle_folder)
    (bundle_folder / MODEL).unlink()
    os.mkfifo(bundle_folder / MODEL)
    with pytest.raises(BundleDamaged, match="not a regular file"):
        model("good")


def test_what_no_engine_reads_may_go(bundle_folder: Path) -> None:
    model = load(bundle_folder)
    for name in ("parity.json", "golden.jsonl", "tokenizer.json"):
        (bundle_folder / name).unlink()
    assert model("good").label == "positive"


def test_a_tokenizer_or_golden_outputs_swapped_after_opening_are_refused(bundle_folder: Path) -> None:
    bundle = Bundle.open(bundle_folder)
    swap(bundle_folder, "tokenizer.json")
    with pytest.raises(BundleDamaged, match=r"tokenizer.json has changed"):
        Classifier(bundle)
    golden = Bundle.open(shutil.copytree(Path(load().bundle.root), bundle_folder.parent / "second"))
    swap(golden.root, "golden.jsonl")
    with pytest.raises(BundleDamaged, match=r"golden.jsonl has changed"):
        golden.read("golden.jsonl")


def _refused(model: Classifier) -> None:
    try:
        model("good")
    except BundleDamaged:
        raise SystemExit(7) from None


@pytest.mark.usefixtures("settled")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no forks here")
def test_a_fork_compares_again(bundle_folder: Path) -> None:
    model = load(bundle_folder)
    for used in (False, True):
        if used:
            model("good")
        kept = swap(bundle_folder)
        child = multiprocessing.get_context("fork").Process(target=_refused, args=(model,))
        child.start()
        child.join(HANGS)
        assert child.exitcode == 7
        kept.replace(bundle_folder / MODEL)


def test_a_copy_from_another_process_hashes_again(bundle_folder: Path) -> None:
    sent = pickle.dumps(load(bundle_folder))
    assert pickle.loads(sent)("good").label == "positive"  # noqa: S301 - our own
    swap(bundle_folder)
    with pytest.raises(BundleDamaged, match=f"{MODEL} has changed"):
        pickle.loads(sent)("good")  # noqa: S301 - our own


@pytest.mark.usefixtures("settled")
def test_only_what_changed_is_hashed_again(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    model = load(bundle_folder)
    monkeypatch.setattr(Contents, "_compare", lambda _, name, __: hashed.append(name))
    model("good")
    assert hashed == []
    os.utime(bundle_folder / MODEL, (1e9, 1e9))
    for _ in range(2):
        open_engine(model.bundle, "onnxruntime", 1).sharing(1)
    assert hashed == [MODEL]


def test_another_file_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    """The right file before and after says nothing about the one in between."""
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"right")
    other.write_bytes(b"wrong")
    contents = Contents(tmp_path, {"a": sha256(path)})
    readings: list[bytes] = []

    def read(times: int) -> bytes:
        swapped = len(readings) < times
        if swapped:
            path.rename(tmp_path / "aside")
            other.rename(path)
        readings.append(path.read_bytes())
        if swapped:
            path.rename(other)
            (tmp_path / "aside").rename(path)
            os.utime(path)
        return readings[-1]

    assert contents.while_unchanged(["a"], partial(read, 1)) == b"right"
    assert readings == [b"wrong", b"right"]
    with pytest.raises(BundleDamaged, match="a changes while it is read"):
        contents.while_unchanged(["a"], partial(read, 99))


def test_an_engine_that_fails_over_a_swapped_file_blames_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"right")
    contents = Contents(tmp_path, {"a": sha256(path)})

    def fail(replacement: bytes) -> None:
        path.write_bytes(replacement)
        raise EngineError("cannot load it")

    with pytest.raises(EngineError, match="cannot load it"):
        contents.while_unchanged(["a"], partial(fail, b"right"))
    with pytest.raises(BundleDamaged, match="a has changed"):
        contents.while_unchanged(["a"], partial(fail, b"wrong"))


def test_a_fresh_bundle_is_still_verified(bundle_folder: Path) -> None:
    put_file(bundle_folder, "onnx/unused.onnx", classifier())
    assert verify(bundle_folder).passed
