"""Building: each stage is a copy of a Debian system, in which its steps are run by chroot."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from tools.steps import MIRROR, REPOSITORY, run_step

if TYPE_CHECKING:
    from pathlib import Path

    from tools.container.dockerfile import Stage

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FROM_HERE = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
"""Variables of this machine that pip may need to find its index."""
_STEP = """
mount --bind /etc/resolv.conf "$0/etc/resolv.conf"
mount --bind "$1" "$0$1"
mount -t proc proc "$0/proc"
shift
exec chroot "$0" "$@"
"""
"""How a RUN is run: with this machine's name servers and certificates, in mounts that end with it."""


class Builder:
    """Builds the stages of a Dockerfile in folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: dict[str, Path] = {}

    def build(self, stage: Stage) -> Path:
        """Return the root folder of a stage."""
        root = self._folder / f"stage-{len(self._built)}"
        shutil.rmtree(root, ignore_errors=True)
        run_step(["cp", "--archive", "--reflink=auto", self._base(stage.base), root])
        for instruction, rest in stage.steps:
            if instruction == "COPY":
                self._copy(root, rest)
            else:
                _run_in(root, rest, stage.environment)
        self._built[stage.name] = root
        return root

    def _base(self, image: str) -> Path:
        """Return a minimal Debian with its own Python, which stands for an image of Docker's with the same version of both."""
        found = re.fullmatch(r"python:3\.\d+-slim-(\w+)", image)
        if not found:
            raise ValueError(f"tools/container has nothing like {image}")
        root = self._folder / f"debian-{found[1]}"
        if not root.exists():
            unfinished = root.with_name(f"{root.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            packages = "--include=python3,python3-venv,ca-certificates"
            run_step(["debootstrap", "--variant=minbase", packages, found[1], unfinished, MIRROR])
            (unfinished / "usr/local/bin/python").symlink_to("/usr/bin/python3")
            shutil.rmtree(unfinished / "var/cache/apt/archives")
            unfinished.rename(root)
        return root

    def _copy(self, root: Path, words: str) -> None:
        *sources, target = words.split()
        origin = REPOSITORY
        if sources[0].startswith("--from="):
            origin = self._built[sources.pop(0).partition("=")[2]]
        into = root / target.lstrip("/")
        for pattern in sources:
            for path in origin.glob(pattern.lstrip("/")):
                if path.is_dir():
                    shutil.copytree(path, into, symlinks=True)
                else:
                    into.mkdir(exist_ok=True)
                    shutil.copy2(path, into)


def _run_in(root: Path, command: str, environment: dict[str, str]) -> None:
    here = {name: os.environ[name] for name in _FROM_HERE if name in os.environ}
    variables = {"PATH": _PATH, "PIP_CERT": _CERTIFICATES, **here, **environment}
    program = ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), "/bin/sh", "-euc", command]
    run_step(["unshare", "--mount", "sh", "-euc", _STEP, root, _CERTIFICATES, *program])
