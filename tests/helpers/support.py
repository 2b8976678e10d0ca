"""What tests of several folders use besides the fixtures. Nothing here imports torch."""

from __future__ import annotations

import hashlib
import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

SHARED = Path(__file__).parents[3] / "shared"
CORTEX_A72 = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
"""
"""What /proc/cpuinfo says of that core, a Raspberry Pi 4's."""
WITHOUT_OPENVINO = """
import importlib.metadata as metadata, sys
sys.modules["openvino"] = None

def version(name, find=metadata.version):
    if name == "openvino":
        raise metadata.PackageNotFoundError(name)
    return find(name)

metadata.version = version
"""
"""A program's first lines, where the library is to look absent."""


class Command(Protocol):
    """Runs `sentiment-edge` in a process of its own."""

    def __call__(self, *arguments: str | Path, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]: ...


class Page(HTMLParser):
    """Collects what a page shows, what it would fetch or run, and where its plots put things."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: list[str] = []
        self.foreign: list[str] = []
        self.places: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.foreign += [f"{name}={value}" for name, value in attrs if name in {"src", "href", "xlink:href", "data"}]
        self.places += [str(value) for name, value in attrs if name in {"d", "points", "x", "y", "width", "height"}]
        self.foreign += [tag] * (tag in {"script", "link", "img", "iframe"})

    def handle_data(self, data: str) -> None:
        self.cells += [data.strip()] if data.strip() else []


def edit_manifest(folder: Path, **changes: object) -> None:
    """Change the manifest and mend its checksum: what a forger would do, not an accident."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
    reseal(folder, "manifest.json")


def put_file(folder: Path, name: str, contents: bytes) -> None:
    """Add a file to a bundle or replace it, and mend its size and its checksum."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(contents)
    files = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    edit_manifest(folder, files={**files, name: len(contents)})
    reseal(folder, name)


def reseal(folder: Path, name: str) -> None:
    """Mend the checksum of a changed file, or add that of a new one."""
    line = f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}"
    sums = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    others = [each for each in sums if not each.endswith(f"  {name}")]
    (folder / "SHA256SUMS").write_text("\n".join([*others, line]) + "\n", "utf-8")
