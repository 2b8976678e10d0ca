"""The bundle's place on disk: written beside it, then renamed, so that an interrupted export leaves nothing behind."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge_export.errors import OutputError, OutputExists
from sentiment_edge_runtimes.bundle import CHECKSUMS, MANIFEST, sha256
from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_runtimes.bundle import Manifest


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


def check_writable(output: Path) -> None:
    """Check that a folder can be made there, before minutes of work are spent.

    Raises:
        OutputError: it cannot be made.
    """
    with _beside(output):
        pass


def _is_replaceable(output: Path) -> bool:
    """Return whether the folder is empty, or holds a bundle and nothing else."""
    if not output.is_dir():
        return False
    found = {path.relative_to(output).as_posix() for path in output.rglob("*") if not path.is_dir()}
    if not found:
        return True
    try:
        manifest = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
        return "format_version" in manifest and found <= {MANIFEST, CHECKSUMS, *manifest["files"]}
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
        folder = scratch / "new"
        folder.mkdir()
        yield folder
        check_output(output, overwrite=overwrite)
        _put_in_place(folder, output, scratch / "replaced")


@contextmanager
def _beside(output: Path) -> Iterator[Path]:
    """Yield a temporary folder beside the output: a rename is atomic within one file system only.

    Raises:
        OutputError: it cannot be made, or the block failed to write.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent, ignore_cleanup_errors=True) as scratch:
            yield Path(scratch)
    except SentimentEdgeError:
        raise
    except OSError as error:
        raise OutputError(f"{output}: cannot be written ({error.strerror or error})") from error


def _put_in_place(folder: Path, output: Path, aside: Path) -> None:
    try:
        if output.exists():
            output.rename(aside)
        folder.rename(output)
    except BaseException:
        if aside.exists() and not output.exists():
            aside.rename(output)
        raise


def write_json(path: Path, contents: object) -> None:
    """Write indented JSON; the same contents give the same bytes."""
    path.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def seal(folder: Path, manifest: Manifest) -> None:
    """Write the manifest with the size of every file, and the checksums; call again after a file has changed."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in {MANIFEST, CHECKSUMS})
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
    write_json(folder / MANIFEST, replace(manifest, files=sizes).to_json())
    lines = [f"{sha256(folder / name)}  {name}\n" for name in (MANIFEST, *sizes)]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
