"""The files that hold the public surface, and what each is collected from."""

from __future__ import annotations

import difflib
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sentiment_edge_export import options
from sentiment_edge_runtimes import vocabulary
from tools.public_surface import command_line, json_output, python_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FOLDER = Path(__file__).parents[2] / "tests" / "data" / "public_surface"


def _python(*modules: str) -> Iterator[str]:
    return python_names.describe(*map(import_module, modules))


def _json(commands: Iterable[str]) -> list[str]:
    with TemporaryDirectory() as folder:
        return [*json_output.describe(commands, Path(folder))]


FILES: dict[str, Callable[[], Iterable[str]]] = {
    "python.txt": lambda: _python("sentiment_edge.runtimes", "sentiment_edge"),
    "python_bulk.txt": lambda: _python("sentiment_edge.bulk.arrow"),
    "python_types.txt": lambda: python_names.describe_types(vocabulary, options),
    "command_line.txt": command_line.describe,
    "json.txt": lambda: _json(json_output.LIGHT),
    "python_export.txt": lambda: _python("sentiment_edge.export"),
    "json_export.txt": lambda: _json(json_output.WITH_EXPORT),
}
"""Those whose names end in `_export` need the extra."""


def collect(name: str) -> str:
    """Collect what a file is to hold."""
    return "\n".join(FILES[name]()).strip("\n") + "\n"


def changes(name: str) -> str:
    """Return how the surface differs from what the file holds, as a diff; nothing where it does not."""
    path = FOLDER / name
    stored = path.read_text("utf-8") if path.exists() else ""
    return "\n".join(difflib.unified_diff(stored.splitlines(), collect(name).splitlines(), name, "now", lineterm=""))
