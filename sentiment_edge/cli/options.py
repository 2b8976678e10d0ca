"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BundleArgument = Annotated[Path | None, typer.Argument(help="Folder of a bundle; the built-in default without it.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads to use; all that this process may use without it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, figures unrounded.")]
