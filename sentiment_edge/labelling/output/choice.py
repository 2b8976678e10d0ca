"""The output that was asked for: stdout, a file, or a file for each input in a folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sentiment_edge.data.tables.record import by_ending
from sentiment_edge.data.tables.source import STDIN, without_compression
from sentiment_edge.labelling.output.sink import Sink
from sentiment_edge_runtimes.errors import InputError, OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentiment_edge.data.tables.record import Table
    from sentiment_edge.labelling.row import OutputFormat

_LINE_FORMATS = ("csv", "tsv", "jsonl")


def open_stdout(form: OutputFormat, table: Table) -> Sink:  # noqa: ARG001 - as the others
    """Return stdout."""
    return Sink(sys.stdout.buffer, is_terminal=sys.stdout.isatty())


def open_target(form: OutputFormat, table: Table, *, target: Path, sources: Sequence[Path], resume: bool = False) -> Sink:
    """Return a file for the rows of these sources.

    Raises:
        InputError: it is one of the sources, or another run is writing it.
        OptionError: `resume` is asked for and cannot be had.
        OSError: it cannot be written.
    """
    if target.exists() and not target.is_file():  # a device or a pipe
        return Sink(target.open("wb"), path=target)
    from sentiment_edge.labelling.output.part_file import PartFile  # noqa: PLC0415 - starts faster where it is not needed

    _check_no_input(target, sources)
    again = form in _LINE_FORMATS and table.format != "parquet" and len(sources) == 1 and sources[0].is_file()
    if resume and not again:
        raise OptionError("resume", "it needs one file that is no Parquet, and csv, tsv or jsonl as `format`")
    return PartFile(target, sources[0] if again else None, resume=resume, keep=form in _LINE_FORMATS)


def open_in_folder(
    form: OutputFormat, table: Table, *, folder: Path, source: Path, sources: Sequence[Path], done: set[Path]
) -> Sink:
    """Return a file in a folder, named as the source, with the ending of the format.

    Raises:
        InputError: it is one of the `sources`, all that are read, or among those that are `done`, to which it is added.
        OSError: it cannot be written.
    """
    path = folder / without_compression(source).name
    target = path if format_of(path) == form else path.with_suffix(f".{form}")
    if target in done:
        raise InputError(f"{source}: another input became {target}; label it by itself, into another folder")
    done.add(target)
    _check_no_input(target, sources)
    return open_target(form, table, target=target, sources=[source])


def _check_no_input(target: Path, sources: Sequence[Path]) -> None:
    from sentiment_edge.labelling.output.part_file import files_of  # noqa: PLC0415 - as above

    written = [path for path in files_of(target) if path.exists()]
    if any(source != STDIN and path.samefile(source) for source in sources for path in written):
        raise InputError(f"{target}: `output` would replace the input; give it another name")


def format_of(target: Path | None) -> OutputFormat | None:
    """Return the format that the ending of a file tells."""
    form = None if target is None else by_ending(target.suffix.lower())
    return None if form == "lines" else form
