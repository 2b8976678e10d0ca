"""The bundle on disk: a folder of data with a manifest and checksums. This module alone knows its format.

`manifest.json` is described by `Bundle`; its `files` give the size in bytes of every file but itself and `SHA256SUMS`, which
holds the SHA-256 of every file but itself, in the format of coreutils' `sha256sum`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeVar, cast, get_args

from sentiment_edge_runtimes.errors import BundleDamaged, BundleError, BundleInvalid, BundleMissing, BundleTooNew, EngineError
from sentiment_edge_runtimes.vocabulary import (
    ENGINES,
    Activation,
    ComputedIn,
    EngineName,
    InferencePrecision,
    Padding,
    Precision,
    Truncation,
)

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"
TOKENIZER = "tokenizer.json"
GOLDEN = "golden.jsonl"
PARITY = "parity.json"

SHORTEST, LONGEST = 3, 2**16
"""Tokens: room for one between two special ones, and not so many that a forged length could exhaust memory."""
_LARGEST_ID = 2**31
LARGEST_BATCH = 2**12

_T = TypeVar("_T")
_CHECKSUM_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_SHORT_FILE = 64 * 2**20  # a manifest or list of checksums is never larger


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle; every file named in it is there, inside the folder, and has its SHA-256."""

    root: Path
    family: str
    precision: Precision
    labels: tuple[str, ...]
    """By class index."""
    activation: Activation
    """What makes probabilities of the logits: over all classes together (`softmax`), or each alone (`sigmoid`)."""
    max_length: int
    """Tokens of a text that the model reads, special ones among them."""
    lengths: tuple[int, ...]
    """What batches are padded to, ascending; the last is `max_length`."""
    batch: int | None
    """The only number of texts that the model takes at once; None: any."""
    pad_id: int
    """Token that padding is made of."""
    padding: Padding
    """Whether padding is invisible to the model (`packed`) or part of what it reads (`padded`)."""
    truncation: Truncation
    """Whether a long text keeps the special tokens at its end (`tokenizer`), or is cut with them (`plain`)."""
    engines: dict[EngineName, str]
    """The model file of each engine."""
    inference_precision: InferencePrecision
    """What OpenVINO may compute in where it is not int8, on CPUs that can: the bundle's parity was measured so."""
    nodes: dict[str, int]
    """Counted nodes of the graph that the export promises, by type."""
    parity: dict[str, Any]
    """Summary of the parity report."""
    files: dict[str, int]
    """Size of every file but the manifest and the checksums, in bytes."""
    static: frozenset[EngineName] = frozenset()
    """Engines whose int8 products run on steps fixed ahead."""
    source: str | None = None
    """The name, Hub id or folder's name of the checkpoint that it was made of, where the manifest tells."""
    fingerprint: str = ""
    """What tells this bundle from any other: the SHA-256 of all its checksums."""

    @classmethod
    def open(cls, root: Path) -> Bundle:
        """Check the folder and read its manifest.

        Raises:
            BundleMissing: there is no manifest.
            BundleTooNew: the manifest has a newer format.
            BundleInvalid: the manifest or the list of checksums is malformed, or a name leaves the folder.
            BundleDamaged: a file is missing, cannot be read, has another size or another hash.
        """
        try:
            manifest = _read_manifest(root)
            _check_version(root, manifest)
            bundle = _from_manifest(root, manifest)
            checksums = _check_files(root, bundle.files)
        except BundleError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise BundleInvalid(root, f"{MANIFEST} is malformed ({error})") from error
        except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself, before Python 3.13
            raise BundleDamaged(root, "a file", f"cannot be read ({error})") from error
        return replace(bundle, fingerprint=_digest(checksums))

    def model_path(self, engine: EngineName) -> Path:
        """Return the model file of an engine.

        Raises:
            EngineError: the bundle has none.
        """
        if engine not in self.engines:
            raise EngineError(f"{self.root}: no model for {engine} in it, only for {', '.join(self.engines)}")
        return self.root / self.engines[engine]

    def computed_in(self, engine: EngineName) -> ComputedIn:
        """Return the coarsest numbers that an engine uses for it."""
        return "bf16" if (self.precision, engine, self.inference_precision) == ("fp32", "openvino", "bf16") else self.precision

    def golden_key(self, engine: EngineName) -> str:
        """Return what the rows of `golden.jsonl` call the logits of an engine: plainly `logits` for the first."""
        return "logits" if engine == next(iter(self.engines)) else f"logits_{engine}"

    def require(self, name: str) -> Path:
        """Return the path of a file of the bundle.

        Raises:
            BundleInvalid: the manifest does not list it.
        """
        if name not in self.files:
            raise BundleInvalid(self.root, f"{MANIFEST} lists no {name}")
        return self.root / name


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(root: Path) -> dict[str, Any]:
    if not (root / MANIFEST).is_file():
        raise BundleMissing(root)
    try:
        manifest = json.loads(_read_short(root, MANIFEST))
    except (ValueError, RecursionError) as error:
        raise BundleDamaged(root, MANIFEST, "is not JSON") from error
    if not isinstance(manifest, dict):
        raise BundleInvalid(root, f"{MANIFEST} is not a JSON object")
    return manifest


def _read_short(root: Path, name: str) -> str:
    path = root / name
    if not path.is_file():
        raise BundleDamaged(root, name, "is missing")
    if path.stat().st_size > _SHORT_FILE:
        raise BundleInvalid(root, f"{name} is too large")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BundleDamaged(root, name, "is not UTF-8") from error


def _check_version(root: Path, manifest: dict[str, Any]) -> None:
    version = manifest.get("format_version")
    if type(version) is not int or version < 1:
        raise BundleInvalid(root, f"{MANIFEST} has no format_version")
    if version > FORMAT_VERSION:
        raise BundleTooNew(root, version, FORMAT_VERSION)


def _from_manifest(root: Path, manifest: dict[str, Any]) -> Bundle:
    files = {_inside(root, _typed(name, str)): _typed(size, int) for name, size in _typed(manifest["files"], dict).items()}
    bundle = Bundle(
        root=root,
        family=_typed(manifest["family"], str),
        precision=cast("Precision", _one_of(manifest["precision"], get_args(Precision))),
        labels=tuple(_typed(label, str) for label in _typed(manifest["labels"], list)),
        activation=cast("Activation", _one_of(manifest["activation"], get_args(Activation))),
        max_length=_typed(manifest["max_length"], int),
        lengths=tuple(_typed(length, int) for length in _typed(manifest["lengths"], list)),
        batch=None if manifest["batch"] is None else _typed(manifest["batch"], int),
        pad_id=_typed(manifest["pad_id"], int),
        padding=cast("Padding", _one_of(manifest["padding"], get_args(Padding))),
        truncation=cast("Truncation", _one_of(manifest["truncation"], get_args(Truncation))),
        engines={
            cast("EngineName", name): _one_of(path, tuple(files))
            for name, path in _typed(manifest["engines"], dict).items()
            if name in ENGINES
        },
        inference_precision=cast(
            "InferencePrecision", _one_of(manifest.get("inference_precision", "f32"), get_args(InferencePrecision))
        ),
        nodes={name: _typed(count, int) for name, count in _typed(manifest["nodes"], dict).items()},
        parity=_typed(manifest["parity"], dict),
        files=files,
        static=_static_engines(manifest),
        source=_source(manifest),
    )
    if not bundle.labels or not bundle.engines or len({*bundle.labels}) != len(bundle.labels):
        raise ValueError("there must be labels, all different, and engines")
    if not 0 <= bundle.pad_id < _LARGEST_ID or not SHORTEST <= bundle.max_length <= LONGEST:
        raise ValueError("pad_id or max_length is out of range")
    if bundle.lengths != tuple(sorted({*bundle.lengths, bundle.max_length})) or bundle.lengths[0] < 1:
        raise ValueError("lengths must ascend from 1 or more to max_length")
    if bundle.batch is not None and not 1 <= bundle.batch <= LARGEST_BATCH:
        raise ValueError("batch is out of range")
    return bundle


def _static_engines(manifest: dict[str, Any]) -> frozenset[EngineName]:
    recipes = _typed(manifest.get("quantization") or {}, dict)
    return frozenset(
        name for name in ENGINES if isinstance(recipe := recipes.get(name), dict) and recipe.get("scheme") == "static"
    )


def _source(manifest: dict[str, Any]) -> str | None:
    source = manifest.get("source")
    name = source.get("id") if isinstance(source, dict) else None
    return name if isinstance(name, str) else None


def _digest(checksums: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(checksums, sort_keys=True).encode()).hexdigest()


def _typed(value: object, kind: type[_T]) -> _T:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.60} is not of type {kind.__name__}")
    return value


def _one_of(value: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{value!r:.60} is not one of {', '.join(allowed)}")
    return value


def _inside(root: Path, name: str) -> str:
    """Return the name if it stays inside the folder on every system, links followed."""
    windows = PureWindowsPath(name)
    parts = {*PurePosixPath(name).parts, *windows.parts}
    leaves = ".." in parts or windows.drive or windows.root or not name or "\0" in name
    if leaves or not (root / name).resolve().is_relative_to(root.resolve()):
        raise BundleInvalid(root, f"the name {name!r} leaves the bundle's folder")
    return name


def _check_files(root: Path, sizes: dict[str, int]) -> dict[str, str]:
    """Return every file's checksum, found right."""
    checksums = _read_checksums(root)
    for name in (MANIFEST, *sizes):
        path = root / _inside(root, name)
        if not path.is_file():
            raise BundleDamaged(root, name, "is missing")
        size = path.stat().st_size
        if name in sizes and size != sizes[name]:
            raise BundleDamaged(root, name, f"has {size} bytes instead of {sizes[name]}")
        if name not in checksums:
            raise BundleDamaged(root, CHECKSUMS, f"has no line for {name}")
        if sha256(path) != checksums[name]:
            raise BundleDamaged(root, name, "has changed (its SHA-256 differs)")
    return checksums


def _read_checksums(root: Path) -> dict[str, str]:
    matches = [_CHECKSUM_LINE.fullmatch(line) for line in _read_short(root, CHECKSUMS).splitlines()]
    if not all(matches):
        raise BundleDamaged(root, CHECKSUMS, "is malformed")
    return {match[2]: match[1] for match in matches if match}
