"""The folder that a static web host serves: the page, the libraries and the bundle, all that it needs without a network."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge.web.libraries import find_libraries, other_versions
from sentiment_edge.web.place import written_whole
from sentiment_edge_runtimes.bundle import GOLDEN, MANIFEST, TOKENIZER, Bundle
from sentiment_edge_runtimes.errors import BundleInvalid
from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE = Path(__file__).parent / "page"
_INDEX = "index.html"
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_HASH = "SCRIPT_HASH"
"""The place in the page for the hash by which its policy knows the script within it."""


class Site(NamedTuple):
    """The folder that was written."""

    folder: Path
    files: int
    size: int
    """Bytes of all files."""
    remarks: tuple[str, ...]


def write_site(bundle: Path, folder: Path, modules: Path, *, overwrite: bool = False) -> Site:
    """Write a folder with a page that runs a bundle's model in the browser; it is there whole, or not at all.

    Args:
        bundle: folder of the bundle.
        folder: to write.
        modules: folder of npm packages, with the libraries that the page needs.
        overwrite: replace a folder that was written so before.

    Raises:
        InputError: there is something at the folder's place, or a library is not there.
        BundleError: the bundle cannot be opened, or is one of a release whose manifest says too little.
        EngineError: the bundle has no model for the engine.
        OSError: the folder cannot be written.
    """
    opened = Bundle.open(bundle)
    names = _names(opened)
    libraries = find_libraries(modules)
    with written_whole(folder, opened.root, overwrite=overwrite) as new:
        for path in (path for path in _PAGE.iterdir() if path.is_file()):
            _put(new / path.name, path.read_bytes() if path.name != _INDEX else _index(path))
        for name, path in libraries.items():
            _put(new / "libraries" / name, path.read_bytes())
        _put(new / "bundle" / MANIFEST, (opened.root / MANIFEST).read_bytes())
        for name in names:
            _put(new / "bundle" / name, opened.read(name))
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Site(folder, len(sizes), sum(sizes), tuple(other_versions(modules)))


def _names(bundle: Bundle) -> Iterator[str]:
    """Return the names of the bundle's files that the page reads, besides the manifest."""
    model = bundle.model_path(DEFAULT_ENGINE)
    if bundle.manifest.special_tokens is None or DEFAULT_ENGINE not in bundle.manifest.models:
        raise BundleInvalid(bundle.root, f"{MANIFEST} is of an earlier release, and says too little for other programs")
    paths = (*map(bundle.require, (TOKENIZER, GOLDEN)), model, *bundle.beside(DEFAULT_ENGINE))
    return (path.relative_to(bundle.root).as_posix() for path in paths)


def _index(path: Path) -> bytes:
    """Return the page, whose policy lets no script run within it but its own."""
    page = path.read_text(encoding="utf-8")
    scripts = _SCRIPT.findall(page)
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return page.replace(f"'{_HASH}'", " ".join(f"'sha256-{digest}'" for digest in digests)).encode()


def _put(path: Path, contents: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents)
