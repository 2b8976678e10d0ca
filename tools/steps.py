"""Steps that several programs of this folder take: commands with their output kept back, the project and its wheel, HTTP."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from http.server import BaseHTTPRequestHandler

REPOSITORY = Path(__file__).parents[1]
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")


def read_project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))


def build_wheel(folder: Path) -> Path:
    """Build this working tree's wheel, the only one in the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    run_step([sys.executable, "-m", "build", "--wheel", "--outdir", folder, REPOSITORY])
    (wheel,) = folder.glob("*.whl")
    return wheel


def run_step(command: Sequence[str | Path]) -> None:
    """Run a step of setting up, its output shown only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout)
        raise RuntimeError(f"{shlex.join(map(str, command))}: status {done.returncode}")


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer requests on a free port of this machine, in a thread, while the block runs; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
