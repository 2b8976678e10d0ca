"""The JavaScript libraries that the page runs the model with, taken from a folder of npm packages."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.errors import InputError
from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Library(NamedTuple):
    """An npm package that the page needs."""

    name: str
    version: str
    """The one that the page was tried with."""
    files: Mapping[str, str]
    """Paths in the package, by the names that the page knows them by: `.js`, for not every host knows `.mjs`."""


LIBRARIES = (
    Library(
        "onnxruntime-web",
        "1.30.0",
        {
            "onnxruntime-web.js": "dist/ort.wasm.bundle.min.mjs",
            "onnxruntime-web.wasm": "dist/ort-wasm-simd-threaded.wasm",
        },
    ),
    Library("@huggingface/tokenizers", "0.2.0", {"tokenizers.js": "dist/tokenizers.min.mjs"}),
)
INSTALL = f"npm install {' '.join(f'{library.name}@{library.version}' for library in LIBRARIES)}"
"""The command that gets the libraries into `node_modules`."""
_NOTICES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "ThirdPartyNotices.txt")


def find_libraries(modules: Path) -> dict[str, Path]:
    """Return the files of the libraries, notices of their licences included, by the names that the page's folder gives them.

    Raises:
        InputError: a library is not there, or lacks a file.
    """
    found: dict[str, Path] = {}
    for library in LIBRARIES:
        package = modules / library.name
        for name, path in library.files.items():
            if not (package / path).is_file():
                lacks = f"{library.name} has no {path}" if package.is_dir() else f"no {library.name} in it"
                raise InputError(f"{modules}: {lacks}; run `{INSTALL}` and give its node_modules by `modules`")
            found[name] = package / path
        stem = next(iter(library.files)).removesuffix(".js")
        found |= {f"{stem}.{path.name}": path for path in _notices(package)}
    return found


def other_versions(modules: Path) -> list[str]:
    """Return a remark on each library whose version is not the one that the page was tried with."""
    versions = ((library, _version(modules / library.name)) for library in LIBRARIES)
    return [
        f"{library.name} is version {version}, the page was tried with {library.version}"
        for library, version in versions
        if version != library.version
    ]


def _notices(package: Path) -> Iterator[Path]:
    """Yield a package's notices; where it comes without, those of the same project's package for Python."""
    own = [package / name for name in _NOTICES if (package / name).is_file()]
    if own or not package.name.startswith(DEFAULT_ENGINE):
        yield from own
        return
    spec = find_spec(DEFAULT_ENGINE)
    if spec is not None and spec.origin is not None:
        yield from (path for name in _NOTICES if (path := Path(spec.origin).parent / name).is_file())


def _version(package: Path) -> str:
    try:
        return str(json.loads((package / "package.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"
