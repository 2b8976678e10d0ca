"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T", bound=str)

BundleArgument = Annotated[Path | None, typer.Argument(help="Folder of a bundle; the built-in default without it.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads to use; all that this process may use without it.")]
EngineOption = Annotated[
    Literal["auto", "onnxruntime", "openvino"],
    typer.Option(help="What runs the model; of several that can, the one that was faster when first timed here."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, figures unrounded.")]


def one_of(option: str, names: Sequence[str], known: Sequence[_T]) -> tuple[_T, ...]:
    """Return the values of an option that may be repeated, each found among the known ones."""
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"{option} {name}: it is one of {', '.join(known)}")
    return tuple(cast("_T", name) for name in names)
