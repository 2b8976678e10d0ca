"""A Python that runs the blocks of a page in one namespace: a line of JSON for each on stdin, a line of JSON in answer."""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import json
import os
import sys
import traceback
from typing import Any

_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class _Watching(ast.NodeTransformer):
    """Notes the value, or the output, of the statements that end in certain lines."""

    def __init__(self, printing: set[int], giving: set[int]) -> None:
        self._printing = printing
        self._giving = giving

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.AST]:
        line = node.end_lineno
        if line in self._printing:
            before, after = (ast.parse(f"__blocks__.{name}({line})").body[0] for name in ("before", "after"))
            return [_placed(before, node), node, _placed(after, node)]
        if line in self._giving:
            node.value = _gives(line, node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if node.end_lineno in self._giving:
            node.value = _gives(node.end_lineno, node.value)
        return node


def _gives(line: int | None, value: ast.expr) -> ast.expr:
    call = ast.parse(f"__blocks__.gave({line}, None)", mode="eval").body
    assert isinstance(call, ast.Call)
    call.args[1] = value
    _placed(call, value)
    return call


def _placed(made: ast.AST, beside: ast.AST) -> ast.AST:
    return ast.fix_missing_locations(ast.copy_location(made, beside))


class _Blocks:
    """The namespace, and what its statements gave."""

    def __init__(self, page: str, folder: str) -> None:
        self._page = page
        self._namespace: dict[str, Any] = {"__name__": "__main__", "__file__": f"{folder}/app.py", "__blocks__": self}
        self._loop = asyncio.new_event_loop()
        self._seen: list[tuple[int, str]] = []
        self._start = 0
        self._output = io.StringIO()

    def gave(self, line: int, value: Any) -> Any:
        self._seen.append((line, repr(value)))
        return value

    def before(self, _: int) -> None:
        self._start = self._output.tell()

    def after(self, line: int) -> None:
        self._seen.append((line, self._output.getvalue()[self._start :]))

    def run(self, source: str, line: int, printing: list[int], giving: list[int]) -> dict[str, Any]:
        self._seen, self._output = [], io.StringIO()
        sys.stdout = self._output
        error = ""
        try:
            tree = _Watching(set(printing), set(giving)).visit(ast.parse(source))
            ast.increment_lineno(tree, line)
            self._execute(compile(tree, self._page, "exec", _FLAGS, dont_inherit=True))
        except BaseException as raised:  # noqa: BLE001 also SystemExit: it must not end the page
            error = "".join(traceback.format_exception(raised))
        return {"seen": self._seen, "error": error}

    def _execute(self, code: Any) -> None:
        if code.co_flags & inspect.CO_COROUTINE:
            self._loop.run_until_complete(eval(code, self._namespace))  # noqa: S307
        else:
            exec(code, self._namespace)  # noqa: S102


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)  # what libraries print by themselves
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.path[0] = folder = sys.argv[2]
    blocks = _Blocks(sys.argv[1], folder)
    for request in requests:
        answers.write(json.dumps(blocks.run(**json.loads(request))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
