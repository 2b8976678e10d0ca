"""A bundle's folder, which is checked when it is opened.

`manifest.json` is described by `Manifest`; its `files` give the size in bytes of every file but itself, `SHA256SUMS` and the
model card, which people edit. `SHA256SUMS` holds the SHA-256 of those files and of the manifest.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, TypeVar

from sentiment_edge_runtimes.bundle import strict_json
from sentiment_edge_runtimes.bundle.checking import Check
from sentiment_edge_runtimes.bundle.checksums import fingerprint, parse_checksums
from sentiment_edge_runtimes.bundle.contents import Contents, open_file, unreadable
from sentiment_edge_runtimes.bundle.manifest import CARD, FORMAT_VERSION, Manifest, UnknownFormat
from sentiment_edge_runtimes.bundle.model_files import check_model, names_read
from sentiment_edge_runtimes.bundle.packaged import unpacked
from sentiment_edge_runtimes.bundle.place import find_folder, is_file
from sentiment_edge_runtimes.errors import (
    BundleDamaged,
    BundleError,
    BundleInvalid,
    BundleMissing,
    BundleTooNew,
    EngineError,
    first_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sentiment_edge_runtimes.vocabulary import EngineName

_T = TypeVar("_T")

MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"
TOKENIZER = "tokenizer.json"
GOLDEN = "golden.jsonl"
PARITY = "parity.json"

_SHORT_FILE = 64 * 2**20  # a manifest or list of checksums is never larger
_LARGE_BUNDLE = 4 * 2**20
"""Bytes from which on it is worth a thread to check a bundle beside other work."""
_LONGEST_PART, _LONGEST_NAME = 255, 1024
"""Bytes of a name that file systems and systems take."""
_UNUSUAL = frozenset('*?<>|:"')
"""Characters that Windows does not take; ONNX Runtime has a name with `*` for what lies in memory."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle: every file that its manifest names is inside the folder and has its size and its SHA-256."""

    root: Path
    manifest: Manifest
    fingerprint: str
    """The SHA-256 of all its checksums, which identifies the bundle."""
    _contents: Contents = field(repr=False, compare=False)

    @classmethod
    def open(cls, root: Path) -> Bundle:
        """Open a bundle: read its manifest and check every file but the model card.

        Args:
            root: the folder; `~` is expanded.

        Raises:
            BundleMissing: the folder has no manifest, or it is a file.
            BundleTooNew: the manifest has a newer format.
            BundleInvalid: the manifest is malformed, a name leaves the folder, or a model refers to a file that is not listed.
            BundleDamaged: a file is missing, cannot be read, has another size or another hash; or `SHA256SUMS` is malformed.
        """
        with opening(root) as bundle:
            return bundle

    def model_path(self, engine: EngineName) -> Path:
        """Return the model file of an engine.

        Raises:
            EngineError: the bundle has none.
        """
        engines = self.manifest.engines
        if engine not in engines:
            raise EngineError(f"{self.root}: no model for {engine} in it, only for {', '.join(engines)}")
        return self.root / engines[engine]

    def beside(self, engine: EngineName) -> list[Path]:
        """Return the files beside an engine's model that it may read too.

        Raises:
            EngineError: the bundle has no model for the engine.
        """
        model = self.model_path(engine)
        return [path for name in self._read_by(engine) if (path := self.root / name) != model]

    def size(self, engine: EngineName) -> int:
        """Return the bytes of the files that an engine may read for its model.

        Raises:
            EngineError: the bundle has no model for the engine.
        """
        self.model_path(engine)
        return sum(self.manifest.files[name] for name in self._read_by(engine))

    def require(self, name: str) -> Path:
        """Return the path of a file of the bundle.

        Raises:
            BundleInvalid: the manifest does not list it.
        """
        if name not in self.manifest.files:
            raise BundleInvalid(self.root, f"{MANIFEST} lists no {name}")
        return self.root / name

    def read(self, name: str) -> bytes:
        """Return the contents of a file of the bundle, whose hash is compared again.

        Raises:
            BundleInvalid: the manifest does not list it.
            BundleDamaged: it has changed since the bundle was opened, or cannot be read.
        """
        self.require(name)
        return self._contents.read(name)

    def opened(self, engine: EngineName, open_model: Callable[[], _T]) -> _T:
        """Return what `open_model` makes of an engine's files, which it reads by their paths.

        Raises:
            EngineError: the bundle has no model for the engine.
            BundleDamaged: one of the files has changed since the bundle was opened.
        """
        self.model_path(engine)
        return self._contents.while_unchanged(self._read_by(engine), open_model)

    def _read_by(self, engine: EngineName) -> list[str]:
        return names_read(self.manifest.engines[engine], self.manifest.files)


@contextmanager
def opening(root: Path) -> Iterator[Bundle]:
    """Open a bundle whose files are checked while the block runs; the block's end waits for the check.

    What the block reads by the bundle's methods is checked before that. An error of the check is raised in the place of an
    error of the block: a damaged file is the better reason.

    Args:
        root: the folder; `~` is expanded.

    Raises:
        BundleError: as `Bundle.open` does.
    """
    root = unpacked(find_folder(root))
    with _explained(root):
        manifest = _read_manifest(root)
        checksums = _read_checksums(root)
    contents = Contents(root, checksums)
    check = Check(partial(_check_file, root, name, manifest.files, contents) for name in (MANIFEST, *manifest.files))
    failure: Exception | None = None
    try:
        if sum(manifest.files.values()) > _LARGE_BUNDLE:
            check.start()
        yield Bundle(root, manifest, fingerprint(checksums), contents)
    except Exception as error:  # noqa: BLE001 - raised below, unless there is a better reason
        failure = error
    except BaseException:
        check.give_up()
        raise
    with _explained(root):
        check.finish()
        for model in manifest.engines.values():
            contents.while_unchanged([model], partial(check_model, root, model, manifest.files))
    if failure is not None:
        raise failure


@contextmanager
def _explained(root: Path) -> Iterator[None]:
    """Turn errors of the block into those of a bundle."""
    try:
        yield
    except BundleError:
        raise
    except ValueError as error:
        raise BundleInvalid(root, str(error)) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself, before Python 3.13
        raise BundleDamaged(root, "a file", f"cannot be read ({first_line(error)})") from error


def _read_manifest(root: Path) -> Manifest:
    if not is_file(root / MANIFEST):
        raise BundleMissing(root)
    stored = _read_short(root, MANIFEST)
    try:
        contents = strict_json.loads(stored.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BundleDamaged(root, MANIFEST, "is not UTF-8") from error
    except strict_json.DuplicateKey as error:
        raise BundleInvalid(root, f"{MANIFEST} is malformed ({first_line(error)})") from error
    except (ValueError, RecursionError) as error:
        raise BundleDamaged(root, MANIFEST, "is not JSON") from error
    try:
        return Manifest.from_json(contents)
    except UnknownFormat as error:
        raise BundleTooNew(root, error.version, FORMAT_VERSION) from error
    except ValueError as error:
        raise BundleInvalid(root, f"{MANIFEST} is malformed ({first_line(error)})") from error


def _read_checksums(root: Path) -> dict[str, str]:
    """Return the checksums by name, without the model card's.

    Nothing vouches for the checksums themselves. A link that leads them out of the folder is followed only where the manifest
    is such a link too, as in caches that make every file a link.
    """
    if _is_outside(root, CHECKSUMS) and not _is_outside(root, MANIFEST):
        raise BundleInvalid(root, f"{CHECKSUMS} is a link that leaves the bundle's folder, and {MANIFEST} is none")
    stored = _read_short(root, CHECKSUMS)
    try:
        checksums = parse_checksums(stored)
    except ValueError as error:
        raise BundleDamaged(root, CHECKSUMS, str(error)) from error
    return {name: digest for name, digest in checksums.items() if name != CARD}


def _is_outside(root: Path, name: str) -> bool:
    return not (root / name).resolve().is_relative_to(root.resolve())


def _read_short(root: Path, name: str) -> bytes:
    try:
        with open_file(root / name) as file:
            contents = file.read(_SHORT_FILE + 1)
    except (OSError, RuntimeError) as error:
        raise unreadable(root, name, error) from error
    if len(contents) > _SHORT_FILE:
        raise BundleInvalid(root, f"{name} is too large")
    return contents


def _check_file(root: Path, name: str, sizes: Mapping[str, int], contents: Contents) -> None:
    path = root / _checked_name(root, name)
    if not is_file(path):
        raise BundleDamaged(root, name, "is missing")
    size = path.stat().st_size
    if name in sizes and size != sizes[name]:
        raise BundleDamaged(root, name, f"has {size} bytes instead of {sizes[name]}")
    if not contents.lists(name):
        raise BundleDamaged(root, CHECKSUMS, f"has no line for {name}")
    contents.confirm(name)


def _checked_name(root: Path, name: str) -> str:
    """Return the name if it stays inside the folder on every system. Links are followed, for the contents are hashed."""
    windows = PureWindowsPath(name)
    parts = {*PurePosixPath(name).parts, *windows.parts}
    if ".." in parts or windows.drive or windows.root or not name or "\0" in name:
        raise BundleInvalid(root, f"the name {name!r:.80} leaves the bundle's folder")
    sizes = [len(part.encode("utf-8", "surrogatepass")) for part in name.split("/")]
    if max(sizes) > _LONGEST_PART or sum(sizes) > _LONGEST_NAME or not name.isprintable() or _UNUSUAL & {*name}:
        raise BundleInvalid(root, f"the name {name!r:.80} is too long or has characters that not every system takes")
    return name
