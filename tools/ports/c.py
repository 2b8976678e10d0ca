"""The port to C."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.ports.port import Unavailable, check_programs
from tools.steps import MIRROR, REPOSITORY, run_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentiment_edge_runtimes.vocabulary import EngineName
    from tools.ports.port import Command

SOURCES = REPOSITORY / "examples/c"
HEADER = "onnxruntime_c_api.h"
_SUITE = "trixie"
"""The Debian whose package has the header; older ones have none."""
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class C:
    """examples/c, with the library of the ONNX Runtime that is installed here."""

    name = "C"
    engine: EngineName = "onnxruntime"
    tokenizers = frozenset({"WordPiece"})
    refused: frozenset[str] = frozenset()
    peaks: Mapping[str, float] = {"default": 45}
    _program = Path()

    def set_up(self, folder: Path) -> None:
        """Build the program, and check that its tables are those of the `tokenizers` that is installed."""
        check_programs("cc", "make")
        include = _headers(folder)
        libraries = _libraries(folder / "lib")
        self._program = folder / "sentiment"
        given = {"ORT_INCLUDE": include, "ORT_LIBRARIES": libraries, "OUTPUT": self._program}
        run_step(["make", "-C", SOURCES, "--always-make", *(f"{name}={value}" for name, value in given.items())])
        tables = subprocess.run([sys.executable, SOURCES / "make_tables.py"], stdout=subprocess.PIPE, check=True).stdout
        if tables != (SOURCES / "unicode_tables.h").read_bytes():
            raise RuntimeError("examples/c/unicode_tables.h is not what make_tables.py writes: make it anew")

    def golden(self, bundle: Path) -> Sequence[Command]:
        """Return the program, which runs a text at a time."""
        return [[self._program, "--golden", bundle]]


def _headers(folder: Path) -> Path:
    """Return the folder of ONNX Runtime's headers: ORT_INCLUDE, the system's, or one downloaded from Debian."""
    places = [Path(os.environ.get("ORT_INCLUDE", "/usr/include/onnxruntime")), folder / "usr/include/onnxruntime"]
    for place in places:
        if (place / HEADER).is_file():
            return place
    try:
        check_programs("apt-get", "dpkg-deb")
    except Unavailable as error:
        raise Unavailable(f"{HEADER} is not here: name its folder in ORT_INCLUDE") from error
    if not _KEYS.is_file():
        raise Unavailable(f"{HEADER} is not here, nor are Debian's keys: name its folder in ORT_INCLUDE")
    _download_headers(folder)
    return places[-1]


def _download_headers(folder: Path) -> None:
    """Unpack Debian's package of headers into a folder; nothing is installed, and the system's own apt is not touched."""
    apt = folder / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(f"deb [signed-by={_KEYS}] {MIRROR} {_SUITE} main\n", "utf-8")
    settings = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "",
    }
    options = [f"--option={name}={value}" for name, value in settings.items()]
    run_step(["apt-get", *options, "update"])
    run_step(["sh", "-c", 'cd "$0" && exec apt-get "$@"', apt, *options, "download", "libonnxruntime-dev"])
    (package,) = apt.glob("libonnxruntime-dev_*.deb")
    run_step(["dpkg-deb", "--extract", package, folder])


def _libraries(folder: Path) -> Path:
    """Return a folder with links to the shared library of Python's package, by the names that linkers and loaders look for."""
    package = importlib.util.find_spec("onnxruntime")
    origin = package.origin if package else None
    found = sorted((Path(origin).parent / "capi").glob("libonnxruntime.so.*")) if origin else []
    if not found:
        raise Unavailable("Python's onnxruntime has no libonnxruntime.so here")
    folder.mkdir(exist_ok=True)
    for name in ("libonnxruntime.so", "libonnxruntime.so.1"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(found[0])
    return folder
