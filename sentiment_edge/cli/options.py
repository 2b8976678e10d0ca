"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

BundleArgument = Annotated[Path | None, typer.Argument(help="Folder of a bundle; the built-in default without it.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads to use; all that this process may use without it.")]
EngineOption = Annotated[
    Literal["auto", "onnxruntime", "openvino"],
    typer.Option(help="What runs the model; of several that can, the one that was faster when first timed here."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, figures unrounded.")]
