"""A bundle's folder, which is checked when it is opened.

`manifest.json` is described by `Manifest`; its `files` give the size in bytes of every file but itself and `SHA256SUMS`, which
holds the SHA-256 of every file but itself, in the format of coreutils' `sha256sum`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.bundle.manifest import FORMAT_VERSION, Manifest, UnknownFormat
from sentiment_edge_runtimes.errors import BundleDamaged, BundleError, BundleInvalid, BundleMissing, BundleTooNew, EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentiment_edge_runtimes.vocabulary import EngineName

MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"
TOKENIZER = "tokenizer.json"
GOLDEN = "golden.jsonl"
PARITY = "parity.json"
CARD = "README.md"

_CHECKSUM_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_SHORT_FILE = 64 * 2**20  # a manifest or list of checksums is never larger


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle: every file that its manifest names is inside the folder and has its size and its SHA-256."""

    root: Path
    manifest: Manifest
    fingerprint: str
    """The SHA-256 of all its checksums, which identifies the bundle."""

    @classmethod
    def open(cls, root: Path) -> Bundle:
        """Open a bundle: read its manifest and check every file.

        Raises:
            BundleMissing: the folder has no manifest.
            BundleTooNew: the manifest has a newer format.
            BundleInvalid: the manifest or the list of checksums is malformed, or a name leaves the folder.
            BundleDamaged: a file is missing, cannot be read, has another size or another hash.
        """
        try:
            manifest = _read_manifest(root)
            checksums = _check_files(root, manifest.files)
        except BundleError:
            raise
        except ValueError as error:  # a name that no path can have
            raise BundleInvalid(root, f"{MANIFEST} is malformed ({error})") from error
        except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself, before Python 3.13
            raise BundleDamaged(root, "a file", f"cannot be read ({error})") from error
        return cls(root, manifest, _digest(checksums))

    def model_path(self, engine: EngineName) -> Path:
        """Return the model file of an engine.

        Raises:
            EngineError: the bundle has none.
        """
        engines = self.manifest.engines
        if engine not in engines:
            raise EngineError(f"{self.root}: no model for {engine} in it, only for {', '.join(engines)}")
        return self.root / engines[engine]

    def require(self, name: str) -> Path:
        """Return the path of a file of the bundle.

        Raises:
            BundleInvalid: the manifest does not list it.
        """
        if name not in self.manifest.files:
            raise BundleInvalid(self.root, f"{MANIFEST} lists no {name}")
        return self.root / name


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(root: Path) -> Manifest:
    if not (root / MANIFEST).is_file():
        raise BundleMissing(root)
    try:
        contents = json.loads(_read_short(root, MANIFEST))
    except (ValueError, RecursionError) as error:
        raise BundleDamaged(root, MANIFEST, "is not JSON") from error
    try:
        return Manifest.from_json(contents)
    except UnknownFormat as error:
        raise BundleTooNew(root, error.version, FORMAT_VERSION) from error
    except ValueError as error:
        raise BundleInvalid(root, f"{MANIFEST} is malformed ({error})") from error


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


def _digest(checksums: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(checksums, sort_keys=True).encode()).hexdigest()


def _inside(root: Path, name: str) -> str:
    """Return the name if it stays inside the folder on every system, links followed."""
    windows = PureWindowsPath(name)
    parts = {*PurePosixPath(name).parts, *windows.parts}
    leaves = ".." in parts or windows.drive or windows.root or not name or "\0" in name
    if leaves or not (root / name).resolve().is_relative_to(root.resolve()):
        raise BundleInvalid(root, f"the name {name!r} leaves the bundle's folder")
    return name


def _check_files(root: Path, sizes: Mapping[str, int]) -> dict[str, str]:
    """Return the checksum of every file, all of them checked."""
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
