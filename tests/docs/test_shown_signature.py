"""The signature of `export_model` that docs/export.md shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from helpers.code_blocks.page import ROOT, blocks

from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE


class _Values(ast.NodeTransformer):
    """Puts the values of constants in the place of their names."""

    def __init__(self, values: dict[str, ast.expr]) -> None:
        self._values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._values.get(node.id, node)


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.Assign):
            match node.targets[0], node.value:
                case ast.Tuple(elts=names), ast.Tuple(elts=values):
                    yield from ((ast.unparse(name), value) for name, value in zip(names, values, strict=True))
                case name, value:
                    yield ast.unparse(name), value


def _shape(source: str) -> dict[str, str]:
    """Return the parameters of export_model with their defaults; from its text, as its module imports torch."""
    body = ast.parse(source).body
    values = _Values(dict(_assigned(body)) | {"DEFAULT_ENGINE": ast.Constant(DEFAULT_ENGINE)})
    (function,) = (node for node in body if isinstance(node, ast.FunctionDef) and node.name == "export_model")
    arguments = function.args
    by_name = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    shape = {each.arg: "" for each in (*arguments.posonlyargs, *arguments.args)}
    return shape | {each.arg: ast.unparse(values.visit(default)) if default else "" for each, default in by_name}


def test_it_is_that_of_the_function() -> None:
    shown = [block.source for block in blocks(ROOT / "docs/export.md") if block.source.startswith("def export_model(")]
    true = (ROOT / "export/sentiment_edge_export/pipeline.py").read_text("utf-8")
    assert [_shape(source) for source in shown] == [_shape(true)]
