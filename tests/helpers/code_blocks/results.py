"""The results that comments in Python code show."""

from __future__ import annotations

import ast
import io
import re
import tokenize

_LOOKS_LIKE_A_RESULT = re.compile(r"[A-Z]\w*\(|array\(|[\[{'\"]|-?\d|(?:True|False|None)$")
_SHOWN = (ast.Call, ast.Constant, ast.List, ast.Dict, ast.Tuple, ast.Set, ast.UnaryOp)


def results(tree: ast.Module, source: str) -> tuple[dict[int, str], list[str]]:
    """Return the results that comments show, by the line in which their statement ends, and what cannot be read of them.

    A comment beside a `print` is what it prints. Beside another expression or an assignment, or directly below, it is a result
    if it looks like one: a number, a string, a list, `Prediction(...)`.
    """
    comments = _comments(source)
    shown: dict[int, str] = {}
    faults = []
    for node in ast.walk(tree):
        line = getattr(node, "end_lineno", None)
        if line is None or not isinstance(node, ast.Expr | ast.Assign):
            continue
        text = comments.get(line, "") or comments.get(-line - 1, "")
        if not text:
            continue
        if is_print(node):
            if line in comments:
                shown[line] = text
        elif _LOOKS_LIKE_A_RESULT.match(text):
            if _is_expression(text):
                shown[line] = text
            elif line in comments:
                faults.append(f"this looks like a result, with more words than one: {text}")
    return shown, faults


def is_print(node: ast.stmt) -> bool:
    """Tell whether the statement is a call of print."""
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"


def _comments(source: str) -> dict[int, str]:
    """Return the comments by their lines; the line of one that stands alone is negative."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            alone = not token.line[:column].strip()
            found[-line if alone else line] = token.string.lstrip("#").strip()
    return found


def _is_expression(text: str) -> bool:
    try:
        return isinstance(ast.parse(text, mode="eval").body, _SHOWN)
    except SyntaxError:
        return False
