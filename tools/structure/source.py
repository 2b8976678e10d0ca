"""The Python files of the three packages, parsed."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "sentiment_edge": ROOT / "sentiment_edge",
    "sentiment_edge_export": ROOT / "export" / "sentiment_edge_export",
    "sentiment_edge_runtimes": ROOT / "runtimes" / "sentiment_edge_runtimes",
}
"""Where each lies; each may import those below it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file."""

    package: str
    parts: tuple[str, ...]
    """Its path inside the package, without the ending: `("engines", "openvino")`."""
    text: str
    tree: ast.Module
    file: str
    """Its path from the repository's root."""

    @property
    def name(self) -> str:
        """Return the name that imports use; an `__init__` has its folder's."""
        parts = self.parts[:-1] if self.is_init else self.parts
        return ".".join((self.package, *parts))

    @property
    def room(self) -> str:
        """Return the folder or module on the package's top level that it belongs to."""
        return self.parts[0]

    @property
    def is_init(self) -> bool:
        """Whether it is the `__init__` of a folder."""
        return self.parts[-1] == "__init__"

    def place(self, node: ast.AST) -> str:
        """Return file and line of a node, as editors take it."""
        return f"{self.file}:{getattr(node, 'lineno', 1)}"


def parse(package: str, path: str, text: str, file: str = "") -> Module:
    """Parse the text of a file, given by its path inside the package."""
    return Module(package, Path(path).with_suffix("").parts, text, ast.parse(text, file or path), file or path)


def read_modules() -> tuple[Module, ...]:
    """Read every file of the three packages."""
    return tuple(
        parse(package, str(path.relative_to(root)), path.read_text("utf-8"), str(path.relative_to(ROOT)))
        for package, root in PACKAGES.items()
        for path in sorted(root.rglob("*.py"))
    )


def functions(module: Module) -> Iterator[Function]:
    """Yield every function and method, nested ones too."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def strings(module: Module) -> Iterator[ast.Constant]:
    """Yield the string constants, parts of f-strings too, but not the docstrings."""
    documentation = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node
