"""Build the Dockerfile's stages in a Debian system in a folder, run the last one read-only, and check what it answers."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from tools.container.building import Builder
from tools.container.dockerfile import Stage, read_stages
from tools.container.running import Container
from tools.lean_install import pruning
from tools.steps import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOOLS = ("debootstrap", "unshare", "nsenter", "ip", "chroot")
_ASK = """
import sys
from http.client import HTTPConnection
connection = HTTPConnection("127.0.0.1", 8000)
connection.request("POST", "/predict", '{"text": "I loved it."}')
print(connection.getresponse().read().decode())
"""


def main() -> int:
    """Print what was checked; return 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="container", description=__doc__)
    parser.add_argument("--lean", action="store_true", help="with the lines of docs/lean-install.md for a container")
    parser.add_argument("--cache", type=Path, default=REPOSITORY / "build/container", help="where Debian is kept")
    options = parser.parse_args()
    if os.geteuid() != 0 or not all(map(shutil.which, _TOOLS)):
        sys.stderr.write(f"container: needs root, and {', '.join(_TOOLS)}; on Debian: apt-get install debootstrap iproute2\n")
        return 1
    options.cache.mkdir(parents=True, exist_ok=True)
    stages = read_stages((REPOSITORY / "Dockerfile").read_text("utf-8"))
    if options.lean:
        stages[0].steps.append(("RUN", f"cd /venv/lib/python3*/site-packages\n{pruning()}"))
    builder = Builder(options.cache.resolve())
    roots = [builder.build(stage) for stage in stages]
    size = subprocess.run(["du", "-sm", roots[-1] / "venv"], capture_output=True, text=True, check=True).stdout.split()[0]
    print(f"built: {size} MB besides Debian and its Python")
    good = True
    for what, passed in checks(roots[-1], stages[-1], options.cache.resolve() / "Bücher"):
        print(f"{'yes' if passed else 'NO '}  {what}", flush=True)
        good &= passed
    return 0 if good else 1


def checks(root: Path, stage: Stage, bundle: Path) -> Iterator[tuple[str, bool]]:
    """Run the container, with its own model and with a bundle that is mounted, and yield what should be true of it."""
    container = Container(root, stage)
    yield "it answers with the default model", "serving gru-mini-int8 on" in container.first_line()
    status = Path(f"/proc/{container.pid}/status").read_text("ascii")
    yield "it is not root, and has no capability", "\nUid:\t10001\t" in status and "\nCapBnd:\t0000000000000000" in status
    yield "it is process 1", status.split("NSpid:")[1].split("\n")[0].split()[-1] == "1"
    refused = container.run("touch", "/tmp/written", as_root=True)  # noqa: S108 - the name in the container
    yield "not even root can write in it", "Read-only file system" in refused.stderr
    yield "the health check passes", container.is_healthy()
    yield "POST /predict gives the label", answer(container) == "positive"
    container.send(signal.SIGSTOP)
    yield "the health check of a server that hangs fails", not container.is_healthy()
    container.send(signal.SIGCONT)
    yield "the health check passes again", container.is_healthy()
    yield "it ends with status 0 when told to stop", container.stop() == 0
    shutil.copytree(DEFAULT_BUNDLE, bundle, dirs_exist_ok=True)
    container = Container(root, stage, bundle, "/bundle", "--threads", "1")
    yield "it serves a mounted bundle", "serving bundle on" in container.first_line() and answer(container) == "positive"
    yield "it ends too", container.stop() == 0


def answer(container: Container) -> object:
    """Ask for the label of a text, from inside: the container has no other network."""
    return json.loads(container.run("python", "-c", _ASK).stdout)["sentiment"]


if __name__ == "__main__":
    sys.exit(main())
