"""The bundle's place on disk: it is written beside it, then put there whole; an interrupted export leaves nothing behind."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge_export.errors import OutputError, OutputExists
from sentiment_edge_runtimes.bundle import CARD, CHECKSUMS, MANIFEST, format_checksums, sha256
from sentiment_edge_runtimes.errors import SentimentEdgeError
from sentiment_edge_runtimes.machine.exchange import file_names, replace_folder
from sentiment_edge_runtimes.machine.scratch import NEW, REPLACED, clean_up, scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_runtimes.bundle import Manifest


def prepare_output(output: Path, *, overwrite: bool) -> None:
    """Check that a bundle may and can be written there, before minutes of work are spent.

    What killed exports left beside it is removed; a bundle that one of them was about to replace is put back.

    Raises:
        OutputExists, OutputError: as `check_output`; or a folder cannot be made there.
    """
    with _named(output):
        clean_up(output)
    check_output(output, overwrite=overwrite)
    with _beside(output):
        pass


def check_output(output: Path, *, overwrite: bool) -> None:
    """Check that a bundle may be written there.

    Raises:
        OutputExists: something is there and `overwrite` is false.
        OutputError: something other than a bundle is there, which must not be replaced.
    """
    if output.is_symlink():
        raise OutputError(f"{output} is a link; give the folder that it points to, or choose another `output`")
    if not output.exists():
        return
    if Path.cwd().is_relative_to(output.resolve()):
        raise OutputError(f"{output} is the folder you are in, which cannot be replaced; choose another `output`")
    if not overwrite:
        raise OutputExists(output)
    if not _is_replaceable(output):
        raise OutputError(f"{output} holds more than a bundle and will not be overwritten; choose another `output`")


def _is_replaceable(output: Path) -> bool:
    """Return whether the folder is empty, or holds a bundle and nothing else."""
    if not output.is_dir():
        return False
    found = file_names(output)
    if not found:
        return True
    try:
        manifest = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
        return "format_version" in manifest and found <= {MANIFEST, CHECKSUMS, CARD, *manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextmanager
def bundle_folder(output: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield an empty folder that becomes `output` if the block succeeds and is removed otherwise.

    Raises:
        OutputExists: `output` was created in the meantime, and `overwrite` is false.
        OutputError: the disk is full, or the folder cannot be written.
    """
    with _beside(output) as scratch:
        folder = scratch / NEW
        folder.mkdir()
        yield folder
        check_output(output, overwrite=overwrite)
        replace_folder(folder, output, scratch / REPLACED)


@contextmanager
def _beside(output: Path) -> Iterator[Path]:
    """Yield a temporary folder beside the output.

    Raises:
        OutputError: it cannot be made, or the block failed to write.
    """
    with _named(output), scratch_folder(output) as scratch:
        yield scratch


@contextmanager
def _named(output: Path) -> Iterator[None]:
    """Name the output in errors of the system."""
    try:
        yield
    except SentimentEdgeError:
        raise
    except OSError as error:
        raise OutputError(f"{output}: cannot be written ({error.strerror or error})") from error


def write_json(path: Path, contents: object) -> None:
    """Write indented JSON; the same contents give the same bytes."""
    path.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def seal(folder: Path, manifest: Manifest) -> None:
    """Write the manifest with the size of every file but the card, and the checksums; call again after a file has changed."""
    unlisted = {folder / name for name in (MANIFEST, CHECKSUMS, CARD)}  # people edit the card, which is no damage
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path not in unlisted)
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
    write_json(folder / MANIFEST, replace(manifest, files=sizes).to_json())
    checksums = format_checksums({name: sha256(folder / name) for name in (MANIFEST, *sizes)})
    (folder / CHECKSUMS).write_text(checksums, encoding="utf-8", newline="\n")
