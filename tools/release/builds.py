"""Builds of the sdist and the wheel, in surroundings that differ, which must give the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.steps import REPOSITORY, run_step

_SHELL = 'umask "$1"; shift; exec env -u SOURCE_DATE_EPOCH -u PYTHONPATH "$@"'


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What must leave no trace in a build."""

    folder: str
    umask: int
    time: int | None
    """When all files were last changed, in seconds since 1970; None for now."""
    variables: tuple[str, ...]


_ONE = Surroundings("one", 0o022, None, ("TZ=UTC", "LC_ALL=C.UTF-8", "PYTHONHASHSEED=1"))
_OTHER = Surroundings("an other/place", 0o077, 1_000_000_000, ("TZ=Pacific/Kiritimati", "LC_ALL=C", "PYTHONHASHSEED=2"))


def build_alike(target: Path) -> list[Path]:
    """Build what a release consists of, and return it: the sdist and the wheel, in the folder.

    Each is built twice from what git tracks, as it lies in the working tree; the wheel a third time, from the sdist.

    Raises:
        ValueError: the bytes differ, or the sdist does not hold just what git tracks.
    """
    names = tracked_files()
    with TemporaryDirectory() as folder:
        sdists, wheels = [], []
        for surroundings in (_ONE, _OTHER):
            tree = Path(folder, surroundings.folder)
            lay_out(names, tree, surroundings)
            sdists.append(_build("--sdist", tree, surroundings))
            wheels.append(_build("--wheel", tree, surroundings))
        compare_contents(sdists[0], names)
        with tarfile.open(sdists[0]) as archive:
            archive.extractall(folder, filter="data")
        wheels.append(_build("--wheel", Path(folder, sdists[0].name.removesuffix(".tar.gz")), _OTHER))
        for builds in (sdists, wheels):
            compare_bytes(builds)
        target.mkdir(exist_ok=True)
        return [Path(shutil.copy(built, target)) for built in (sdists[0], wheels[0])]


def tracked_files() -> list[str]:
    """Return the paths that git tracks, relative to the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return listed.stdout.split("\0")[:-1]


def lay_out(names: list[str], tree: Path, surroundings: Surroundings) -> None:
    """Copy files into a new folder, with the modes and times that they would have in these surroundings."""
    for name in names:
        source, copy = REPOSITORY / name, tree / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        copy.chmod((source.stat().st_mode & 0o111 | 0o666) & ~surroundings.umask)
        if surroundings.time is not None:
            os.utime(copy, (surroundings.time, surroundings.time))


def compare_contents(sdist: Path, names: list[str]) -> None:
    """Raise ValueError where the sdist holds anything else than these files, besides its metadata."""
    with tarfile.open(sdist) as archive:
        held = {member.name.partition("/")[2] for member in archive.getmembers()} - {"PKG-INFO"}
    if missing := sorted({*names} - held):
        raise ValueError(f"the sdist lacks {', '.join(missing)}: see only-include in pyproject.toml")
    if foreign := sorted(held - {*names}):
        raise ValueError(f"the sdist holds {', '.join(foreign)}, which git does not track")


def compare_bytes(builds: list[Path]) -> None:
    """Raise ValueError where builds of one file differ."""
    hashes = [sha256(build.read_bytes()).hexdigest() for build in builds]
    if len({*hashes}) > 1:
        listed = "".join(f"\n  {digest}  {build}" for digest, build in zip(hashes, builds, strict=True))
        raise ValueError(f"builds of {builds[0].name} differ:{listed}")
    print(f"{hashes[0]}  {builds[0].name}: {len(builds)} builds alike")


def _build(what: str, tree: Path, surroundings: Surroundings) -> Path:
    """Build without isolation, so by the hatchling of this environment."""
    out = tree.with_name(f"{tree.name} built{what}")
    shell = ["sh", "-eu", "-c", _SHELL, "sh", f"{surroundings.umask:o}", *surroundings.variables]
    run_step([*shell, sys.executable, "-m", "build", "--no-isolation", what, "--outdir", out, tree])
    (built,) = out.iterdir()
    return built
