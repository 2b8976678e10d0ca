"""Options that several commands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer

from sentiment_edge_runtimes.errors import check_choice
from sentiment_edge_runtimes.vocabulary import EngineChoice

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T", bound=str)

BundleArgument = Annotated[Path | None, typer.Argument(help="Folder of a bundle; the default is the built-in one.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads to use; the default is one for each usable CPU.")]
EngineOption = Annotated[
    EngineChoice, typer.Option(help="Engine that runs the model; auto takes the one that was faster when first timed here.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, with unrounded figures.")]
PictureOption = Annotated[Path | None, typer.Option("--png", dir_okay=False, help="Write a picture to this file.")]
CheckpointOption = Annotated[Path | None, typer.Option(help="Take the original model's files from this folder.")]
TextColumnOption = Annotated[
    str | None, typer.Option(help="Column of the texts; the default is the first one with a usual name.")
]
EncodingOption = Annotated[
    str | None,
    typer.Option(help="Encoding of the texts, such as cp1252; the default is UTF-8, or UTF-16 where it shows."),
]


def one_of(option: str, names: Sequence[str], allowed: Sequence[_T]) -> tuple[_T, ...]:
    """Return the values of an option that may be repeated, for which typer takes no list of Literal.

    Raises:
        OptionError: one of them is not among the allowed values.
    """
    for name in names:
        check_choice(option, name, allowed)
    return tuple(cast("_T", name) for name in names)


def check_number(value: float) -> float:
    """Return an option's value, or refuse "nan", which no range excludes; a callback for options."""
    if math.isnan(value):
        raise typer.BadParameter("it is not a number")
    return value


def check_no_file(wanted: str, text_column: str | None, encoding: str | None) -> None:
    """Refuse options of a file of texts where none is given; `wanted` names the options that give one."""
    for flag, value in (("--text-column", text_column), ("--encoding", encoding)):
        if value is not None:
            raise typer.BadParameter(f"{flag} goes with {wanted}")
