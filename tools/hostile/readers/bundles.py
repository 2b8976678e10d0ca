"""Readers of bundles, and of what the runtime keeps between runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import onnx_writer
from helpers.crafted_tokenizers import TEXTS, UNLUCKY

from sentiment_edge_runtimes.bundle import CARD, CHECKSUMS, GOLDEN, MANIFEST, PARITY, TOKENIZER, Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE, load
from sentiment_edge_runtimes.engines.selection import choose
from sentiment_edge_runtimes.errors import SentimentEdgeError
from sentiment_edge_runtimes.machine.cache import FOLDER_VARIABLE, recall, remember
from sentiment_edge_runtimes.verification import verify
from tools.hostile.damage.formats import damage_lines
from tools.hostile.damage.raw import damage_bytes, pick
from tools.hostile.damage.text import damage_text
from tools.hostile.damage.tokenizer import damage_tokenizer
from tools.hostile.damage.tree import damage_json
from tools.hostile.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from sentiment_edge_runtimes.vocabulary import EngineName

    Damage = Callable[[Random, bytes], bytes]

_TINY_BUNDLE = Path(__file__).parents[3] / "tests/data/bundle-format-1"
_ONNX = "onnx/model_quantized.onnx"
_IR = ("openvino/openvino_model.xml", "openvino/openvino_model.bin")
_OUTSIDE = "weights.data"
_GOLDEN_ROWS = 8
_TEXTS = (*TEXTS, UNLUCKY, "half \ud800 pair", "\N{COMBINING ACUTE ACCENT}" * 500)


@cache
def _files(root: Path) -> dict[str, bytes]:
    """Return the files of a sound bundle by name, with a few golden outputs only, which are quickly verified."""
    names = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file()]
    files = {name: (root / name).read_bytes() for name in names}
    files[GOLDEN] = b"\n".join(files[GOLDEN].split(b"\n")[:_GOLDEN_ROWS]) + b"\n"
    return _resealed(files)


def _resealed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files with sizes and checksums that fit."""
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = {name: len(data) for name, data in files.items() if name not in {MANIFEST, CHECKSUMS, CARD}}
    return _with_checksums(files | {MANIFEST: json.dumps(manifest).encode()})


def _with_checksums(files: dict[str, bytes]) -> dict[str, bytes]:
    lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items() if name != CHECKSUMS)
    return files | {CHECKSUMS: "".join(lines).encode()}


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _make_damaged(random: Random, folder: Path) -> None:
    """Write a bundle with a file that is damaged, missing, or something else than a file."""
    files = _files(_TINY_BUNDLE)
    name = random.choice([*files])
    _write(folder, files | {name: damage_bytes(random, files[name])})
    kind = pick(random, {"damaged": 90, "missing": 2, "a folder": 3, "a link": 3, "a pipe": 2})
    if kind != "damaged":
        (folder / name).unlink()
    if kind == "a folder":
        (folder / name).mkdir()
    elif kind == "a link":
        (folder / name).symlink_to(random.choice((name, "/dev/zero", "/etc/passwd", "..", "nothing", MANIFEST)))
    elif kind == "a pipe":
        os.mkfifo(folder / name)


def _read_damaged(folder: Path) -> None:
    """Open a bundle, and hold it against the sound one: damage must have been seen."""
    bundle = Bundle.open(folder)
    sound = _files(_TINY_BUNDLE)
    for name in (MANIFEST, *bundle.manifest.files):
        if name != CARD and (folder / name).read_bytes() != sound[name]:
            raise AssertionError(f"{name} is damaged, and the bundle opens")


def _make_sealed(random: Random, folder: Path, *, root: Path, names: Iterable[str], damage: Damage) -> None:
    """Write a bundle with one damaged file whose size and checksum fit: what a forger would do, not an accident."""
    files = _files(root)
    name = random.choice([*names])
    damaged = files | {name: damage(random, files[name])}
    _write(folder, _with_checksums(damaged) if name == MANIFEST else _resealed(damaged))


def _make_tokenizer(random: Random, folder: Path) -> None:
    files = _files(_TINY_BUNDLE)
    _write(folder, _resealed(files | {TOKENIZER: damage_tokenizer(random, files[TOKENIZER])}))


def _make_checksums(random: Random, folder: Path) -> None:
    files = _files(_TINY_BUNDLE)
    _write(folder, files | {CHECKSUMS: damage_text(random, files[CHECKSUMS])})


def _make_frame(random: Random, folder: Path) -> None:
    """Write a model whose weights lie outside it: the file is walked to find that out."""
    files = _files(_TINY_BUNDLE) | {f"onnx/{_OUTSIDE}": onnx_writer.weights(10)}
    _write(folder, _resealed(files | {_ONNX: damage_bytes(random, onnx_writer.classifier(location=_OUTSIDE))}))


def _use(folder: Path, engine: EngineName = "onnxruntime") -> None:
    """Do all that the library does with a bundle; raise the first refusal at the end."""
    classifier = load(folder, engine=engine, threads=1)
    refusals: list[SentimentEdgeError] = []
    steps: tuple[Callable[[], object], ...] = (
        lambda: classifier("a good film"),
        lambda: classifier(_TEXTS, on_error="return"),
        lambda: [*classifier.stream(_TEXTS[:4], on_error="return")],
        lambda: classifier.explain("not a bad film"),
        lambda: classifier.explain("not a bad film", "occlusion"),
        lambda: verify(folder, engine=engine, threads=1),
    )
    for step in steps:
        try:
            step()
        except SentimentEdgeError as error:
            refusals.append(error)
    repr(classifier)
    if refusals:
        raise refusals[-1]


def _explain(folder: Path) -> None:
    classifier = load(folder, engine="onnxruntime", threads=1)
    classifier.explain(UNLUCKY)
    classifier.explain("not a bad film. " * 30, "occlusion")
    classifier.explain("it was not a bad film, é\u2028\0")


def _make_cached(random: Random, folder: Path) -> None:
    """Keep something in the cache, then damage its file."""
    os.environ[FOLDER_VARIABLE] = str(folder)
    remember(random.randbytes(random.choice((0, 1, 100, 5000))), "kind", 1)
    path = next(each for each in folder.rglob("*") if each.is_file())
    path.write_bytes(damage_bytes(random, path.read_bytes()))


def _recall(folder: Path) -> None:
    os.environ[FOLDER_VARIABLE] = str(folder)
    recall("kind", 1)


@cache
def _cached_choice() -> dict[str, bytes]:
    """Return the file that remembers the choice of an engine for the tiny bundle; nothing where one engine is installed."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = folder
        choose(Bundle.open(_TINY_BUNDLE), "auto", 1)
        kept = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept}


def _make_choice(random: Random, folder: Path) -> None:
    kept = dict(_cached_choice())
    for name in [name for name in kept if name.startswith("engines")]:
        damaged = damage_json(random, kept[name][64:])
        kept[name] = hashlib.sha256(damaged).hexdigest().encode() + damaged
    _write(folder, kept)


def _choose(folder: Path) -> None:
    os.environ[FOLDER_VARIABLE] = str(folder)
    choice = choose(Bundle.open(_TINY_BUNDLE), "auto", 1)
    [(timing.texts, timing.tokens, {**timing.seconds}) for timing in choice.timings]
    "; ".join(choice.refused)


def _predict(folder: Path, engine: EngineName) -> None:
    classifier = load(folder, engine=engine, threads=1)
    classifier(["a good film", "bad"])


def _predict_compiled(folder: Path) -> None:
    """Predict by an engine that keeps nothing between the inputs."""
    with tempfile.TemporaryDirectory() as cached:
        os.environ[FOLDER_VARIABLE] = cached
        try:
            _predict(folder, "openvino")
        finally:
            shutil.rmtree(cached, ignore_errors=True)
            Path(cached).mkdir(exist_ok=True)


def _sealed(damage: Damage, *names: str, root: Path = _TINY_BUNDLE) -> Any:  # noqa: ANN401 - a partial
    return partial(_make_sealed, root=root, names=names, damage=damage)


READERS = {
    "bundle, damaged": Reader(_make_damaged, _read_damaged),
    "bundle, manifest.json": Reader(_sealed(damage_json, MANIFEST), _use),
    "bundle, tokenizer.json": Reader(_make_tokenizer, _use),
    "bundle, golden.jsonl": Reader(_sealed(damage_lines, GOLDEN), _use),
    "bundle, other JSON": Reader(_sealed(damage_json, "config.json", PARITY, "tokenizer_config.json"), _use),
    "bundle, SHA256SUMS": Reader(_make_checksums, Bundle.open),
    "bundle, ONNX's frame": Reader(_make_frame, Bundle.open),
    "bundle, explained": Reader(_sealed(damage_json, MANIFEST, root=DEFAULT_BUNDLE), _explain),
    "cache": Reader(_make_cached, _recall),
    "cache, choice of engine": Reader(_make_choice, _choose),
    "ONNX Runtime, model": Reader(_sealed(damage_bytes, _ONNX), partial(_predict, engine="onnxruntime")),
    "OpenVINO, model": Reader(_sealed(damage_text, _IR[0]), _predict_compiled),
    "OpenVINO, weights": Reader(_sealed(damage_bytes, _IR[1]), _predict_compiled),
}
