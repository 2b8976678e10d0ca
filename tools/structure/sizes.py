"""How large functions, files, folders and signatures are."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from tools.structure.measure import Measure, largest
from tools.structure.source import functions

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

    from tools.structure.source import Function, Module

MEDIAN_LINES = 8
FUNCTION_LINES = 50
FILE_LINES = 300
FOLDER_MODULES = 12
EXPORT_PARAMETERS = 10


def measure_sizes(modules: Sequence[Module]) -> list[Measure]:
    """Measure functions, files, folders, and the parameters of `export_model`."""
    lengths = {f"{module.place(node)} {node.name}": _length(module, node) for module in modules for node in functions(module)}
    files = {module.file: len(module.text.splitlines()) for module in modules}
    folders = Counter(module.file.rpartition("/")[0] for module in modules if not module.is_init)
    return [
        Measure("lines of a function, median", median(lengths.values() or [0]), MEDIAN_LINES),
        largest("lines of a function, most", lengths, FUNCTION_LINES),
        largest("lines of a file, most", files, FILE_LINES),
        largest("modules of a folder, most", folders, FOLDER_MODULES),
        _export_parameters(modules),
    ]


def _length(module: Module, function: Function) -> int:
    """Count the lines from `def` to the end, docstring included, decorators not; of a command, those after the signature.

    The signature of a command is its list of options, however many there are.
    """
    is_command = module.package == "sentiment_edge" and module.parts == ("cli", function.name)
    first = function.body[0] if is_command else function
    return (function.end_lineno or first.lineno) - first.lineno + 1


def _export_parameters(modules: Sequence[Module]) -> Measure:
    """Count the parameters; one that may be given by position, besides the first, breaks the limit too."""
    found = [(module, node) for module in modules for node in functions(module) if node.name == "export_model"]
    counts = {module.place(node): _parameters(node.args) for module, node in found}
    measure = largest("parameters of export_model", counts, EXPORT_PARAMETERS)
    by_position = [module.place(node) for module, node in found if len(node.args.posonlyargs + node.args.args) > 1]
    return measure if not by_position else Measure(measure.name, float("inf"), measure.limit, (*by_position, "by position"))


def _parameters(arguments: ast.arguments) -> int:
    return len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs)
