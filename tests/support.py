"""What tests of several folders use besides the fixtures. Nothing here imports torch."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any, Protocol

SHARED = Path(__file__).parents[2] / "shared"


class Command(Protocol):
    """Runs `sentiment-edge` in a process of its own."""

    def __call__(self, *arguments: str | Path, stdin: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]: ...


def edit_manifest(folder: Path, **changes: object) -> None:
    """Change the manifest and mend its checksum: what a forger would do, not an accident."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
    reseal(folder, "manifest.json")


def reseal(folder: Path, name: str) -> None:
    """Mend the checksum of a changed file."""
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    sums = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    mended = [f"{digest}  {name}" if line.endswith(f"  {name}") else line for line in sums]
    (folder / "SHA256SUMS").write_text("\n".join(mended) + "\n", "utf-8")
