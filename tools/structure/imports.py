"""Which modules import which: the allowed arrows, and circles. Imports in functions and for type checking count."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.structure.measure import Measure, count
from tools.structure.source import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.structure.source import Module

LAYERS = {
    "sentiment_edge_runtimes": [
        [
            "labeller verification",
            "classifier",
            "explanation running",
            "inference",
            "engines inputs tokenization comparison",
            "bundle",
            "batching machine numerics prediction",
            "errors limits progress vocabulary",
        ],
        ["__init__", "engines"],
    ],
    "sentiment_edge_export": [
        [
            "pipeline",
            "gate",
            "bundle",
            "parity targets",
            "families quantization",
            "checkpoints graph",
            "errors options torch_classifier",
            "vocabulary",
        ]
    ],
    "sentiment_edge": [
        [
            "__main__",
            "cli",
            "benchmark bulk diagnosis evaluation explanation freezing labelling parity server web",
            "data",
            "metrics render",
            "extras",
        ],
        ["__init__", "export runtimes", "extras"],
    ],
}
"""The rooms of each package in stacks of layers, the top layer first: a room imports itself and lower layers of its stack."""
REGISTRIES = {("cli", "__init__"), ("engines", "__init__"), ("families", "__init__"), ("targets", "__init__")}
"""The `__init__` files that may hold code: each lists the modules beside it."""


def measure_imports(modules: Sequence[Module]) -> list[Measure]:
    """Measure what runs against the layers, circles, and what `__init__` files hold."""
    return [
        count("arrows back up", _against_the_layers(modules)),
        count("circles of imports", _circles(modules)),
        count("code in an __init__", _code_in_inits(modules)),
    ]


def imports_of(module: Module, names: frozenset[str] | set[str]) -> Iterator[tuple[str, ast.stmt]]:
    """Yield what a module imports: of the modules named, the module itself, also where it is taken from its folder."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            for alias in node.names:
                whole = f"{origin}.{alias.name}"
                yield (whole if whole in names else origin), node


def _against_the_layers(modules: Sequence[Module]) -> Iterator[str]:
    names = {module.name for module in modules}
    for module in modules:
        found = dict(imports_of(module, names))
        for target, node in found.items():
            if not _allowed(module, target):
                yield f"{module.place(node)} {module.name} imports {target}"


def _allowed(module: Module, target: str) -> bool:
    package, _, rest = target.partition(".")
    if package != module.package:
        order = list(PACKAGES)
        return package != "" and (package not in order or order.index(package) > order.index(module.package))
    room = rest.partition(".")[0] or "__init__"
    return room == module.room or any(_above(layers, module.room, room) for layers in LAYERS[package])


def _above(layers: list[str], upper: str, lower: str) -> bool:
    heights = {room: height for height, rooms in enumerate(layers) for room in rooms.split()}
    return {upper, lower} <= heights.keys() and heights[upper] < heights[lower]


def _circles(modules: Sequence[Module]) -> Iterator[str]:
    """Yield each group of modules that reach each other."""
    names = {module.name for module in modules}
    arrows = {module.name: {target for target, _ in imports_of(module, names)} & names for module in modules}
    reached = {name: _reach(name, arrows) for name in arrows}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in arrows}
    files = {module.name: module.file for module in modules}
    yield from sorted(", ".join(f"{files[name]}:1" for name in sorted(group)) for group in groups if group)


def _reach(start: str, arrows: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = arrows[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


def _code_in_inits(modules: Sequence[Module]) -> Iterator[str]:
    for module in modules:
        if module.is_init and len(module.parts) > 1 and module.parts not in REGISTRIES:
            code = [node for node in module.tree.body if not _only_exports(node)]
            yield from (f"{module.place(node)} code in an __init__" for node in code[:1])


def _only_exports(node: ast.stmt) -> bool:
    """Whether a statement is an import, a docstring or the list `__all__`."""
    if isinstance(node, ast.Assign):
        return [ast.unparse(target) for target in node.targets] == ["__all__"]
    return isinstance(node, ast.Import | ast.ImportFrom) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )
