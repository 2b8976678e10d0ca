"""`sentiment-edge web`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentiment_edge.cli.common.terminal import warn
from sentiment_edge.render.text import visible

_MODULES = Path("node_modules")


def web(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    folder: Annotated[Path, typer.Argument(help="Folder to write.")],
    modules: Annotated[Path, typer.Option(help="Folder of npm packages, with the page's JavaScript libraries.")] = _MODULES,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page that is there.")] = False,
) -> None:
    """Write a page that runs the model in the browser, as a folder for any static web host."""
    from shlex import quote

    from sentiment_edge.web.site import write_site

    site = write_site(bundle, folder, modules, overwrite=overwrite)
    for remark in site.remarks:
        warn(remark)
    typer.echo(f"{visible(str(folder))}: {site.files} files, {site.size / 1e6:.1f} MB")
    typer.echo(f"try it: python -m http.server --bind 127.0.0.1 -d {visible(quote(str(folder)))}   # http://127.0.0.1:8000")
