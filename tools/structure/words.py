"""Words of help and docstrings, and names that belong in one place."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from tools.structure.imports import imports_of
from tools.structure.measure import Measure, count
from tools.structure.source import Function, strings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.structure.source import Module

QUESTIONS = ("What ", "How ", "Which ")
Documented = ast.Module | ast.ClassDef | Function

ENGINE_FOLDERS = ("engines", "targets", "freezing")
"""Folders in which an engine has a module of its name, or a hook."""
FAMILY_FOLDERS = ("families",)
LISTS = {
    ("vocabulary",),
    ("engines", "__init__"),
    ("targets", "__init__"),
    ("families", "__init__"),
    ("checkpoints", "catalog"),
}
"""The modules that list engines or families: vocabulary, registries, and the known models, each of a family."""


def measure_words(modules: Sequence[Module]) -> list[Measure]:
    """Measure wording, leaks of names, and names given twice."""
    return [
        count('help that says "without it"', _help_without_it(modules)),
        count("public docstrings that begin with What, How or Which", _questions(modules)),
        count("engines named outside their modules", _leaks(modules, "ENGINE", ENGINE_FOLDERS)),
        count("families named outside their modules", _leaks(modules, "FAMILY", FAMILY_FOLDERS)),
        count("public classes that share a name", _same_names(modules)),
    ]


def _help_without_it(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        if module.package == "sentiment_edge" and module.room == "cli":
            found = [node for node in strings(module) if "without it" in str(node.value)]
            yield from (f"{module.place(node)} {node.value!r}" for node in found)


def _questions(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        for line, text in _docstrings(module.tree):
            if text.startswith(QUESTIONS):
                yield f"{module.file}:{line} {text.partition(chr(10))[0]}"


def _docstrings(owner: Documented) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of what is public in a module or class, its own first, those of constants and fields too."""
    previous: ast.stmt | None = None
    for node in owner.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and not _is_private(previous):
            yield node.lineno, str(node.value.value)
        if isinstance(node, ast.ClassDef | Function) and not _is_private(node):
            yield from _docstrings(node)
        previous = node


def _is_private(node: ast.stmt | None) -> bool:
    if isinstance(node, ast.ClassDef | Function):
        return node.name.startswith("_")
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(ast.unparse(target).startswith("_") for target in targets)


def _leaks(modules: Sequence[Module], constant: str, folders: tuple[str, ...]) -> Iterator[str]:
    """Yield where a name occurs in a string, or its module is imported, though it is neither its own module nor a list."""
    every = {module.name for module in modules}
    for name in sorted(names_of(modules, constant, folders)):
        word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        own = name.replace("-", "_")
        for module in modules:
            if module.parts in LISTS or (module.room in folders and {own, f"hook-{own}"} & {*module.parts}):
                continue
            yield from (f"{module.place(node)} {node.value!r}" for node in strings(module) if word.search(str(node.value)))
            for target, node in imports_of(module, every):
                parts = target.split(".")
                if parts[1:2] and parts[1] in folders and own in parts:
                    yield f"{module.place(node)} imports {target}"


def names_of(modules: Sequence[Module], constant: str, folders: tuple[str, ...]) -> set[str]:
    """Return the names that modules of these folders give themselves by a constant."""
    own = [node for module in modules if module.room in folders for node in module.tree.body]
    values = [
        node.value
        for node in own
        if (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant)
        or (isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == constant)
    ]
    return {value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)}


def _same_names(modules: Sequence[Module]) -> Iterator[str]:
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module.place(node))
    yield from (f"{', '.join(found)} {name}" for name, found in places.items() if len(found) > 1)
