"""The messages that the source can print, read from its syntax tree; nothing of it is imported or run.

A message is what an error that the source defines is made from, and what goes to stderr, with `…` for what varies. Where a
part of it comes from somewhere else (a variable, an alternative, a function, whoever calls), its texts are messages too.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

VARIES = "…"
_BUILT_IN_ERRORS = {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)}
_MORE_ERRORS = {"BadParameter", "Refusal", "exit", "Record"}
"""What ends in a message too, without being such an error: usage errors, the server's refusals, rows with a problem."""
_PRINTED = {"warn", "remark", "warning"}
"""Functions that print a line to stderr."""
_KEPT = {"notes", "note", "remarks", "failures", "refused", "left_out", "problem", "problem_of", "_notes", "unusual", "named"}
"""Arguments, variables and functions that hold what is printed later."""
_SCRIPT = re.compile(r"""(?:new Error|\bfail|(?:problem|advice) =)\s*\(?(["`])(.+?)\1""")
"""A message in JavaScript."""
_BUILT_IN = {*dir(str), *dir(dict)}
"""Methods that give a part of what they belong to; a class of this project may have one of the same name."""
_NO_CONVERSION, _DEEPEST = -1, 4
_WORDS = re.compile(r"[^\W\d_]{2,}.*\s.*[^\W\d_]{2,}", re.DOTALL)
"""Two words: less is a name or a value, not a message."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Kept = tuple["_Scope", ast.expr]


class Message(NamedTuple):
    """A text that may be printed, and the first place that it comes from."""

    text: str
    place: str


@dataclass(eq=False)
class _Module:
    path: Path
    constants: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, list[_Scope]] = field(default_factory=lambda: defaultdict(list))
    """Functions and methods, by name."""
    imported: set[str] = field(default_factory=set)
    """Names that are imported from other modules."""


class _Scope(NamedTuple):
    """Where an expression stands."""

    module: _Module
    function: _Function | None = None
    of_class: str | None = None


def messages(folders: Iterable[Path], root: Path) -> list[Message]:
    """Return every message that the Python files of some folders can print, in the order of their places.

    Args:
        folders: folders of source.
        root: the folder that places are told from, as FILE:LINE.
    """
    return _Source([path for folder in folders for path in sorted(folder.rglob("*.py"))], root).messages()


def web_messages(folder: Path, root: Path) -> list[Message]:
    """Return the messages of the web page's scripts, as `messages` does."""
    found = []
    for path in sorted(path for path in folder.iterdir() if path.suffix in {".js", ".html"}):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            place = f"{path.relative_to(root).as_posix()}:{number}"
            found += [Message(re.sub(r"\$\{.*?\}", VARIES, text), place) for _, text in _SCRIPT.findall(line)]
    return found


class _Source:
    """All modules, and what is looked up in all of them."""

    def __init__(self, paths: Sequence[Path], root: Path) -> None:
        self._root = root
        self._bases: dict[str, list[str]] = {}
        self._constants: dict[str, list[_Kept]] = defaultdict(list)
        self._functions: dict[str, list[_Scope]] = defaultdict(list)
        self._calls: dict[str, list[tuple[_Scope, ast.Call]]] = defaultdict(list)
        self._locals: dict[_Function, dict[str, list[ast.expr]]] = {}
        for path in paths:
            module = _Module(path)
            self._read(ast.parse(path.read_text("utf-8")), _Scope(module))
            for name, expression in module.constants.items():
                self._constants[name].append((_Scope(module), expression))
            for name, scopes in module.functions.items():
                self._functions[name] += scopes

    def messages(self) -> list[Message]:
        """Follow each message to the texts that it is made of."""
        found: dict[str, str] = {}
        waiting = [*self._printed()]
        seen: set[ast.expr] = set()
        while waiting:
            scope, expression = waiting.pop()
            if expression not in seen:
                seen.add(expression)
                text = self._text(scope, expression, waiting.append)
                if _WORDS.search(text.replace(VARIES, "")):
                    place = f"{scope.module.path.relative_to(self._root).as_posix()}:{expression.lineno}"
                    found.setdefault(text, place)
        return sorted((Message(text, place) for text, place in found.items()), key=lambda each: each.place)

    def _read(self, node: ast.AST, scope: _Scope) -> None:
        """Note the definitions and the calls below a node."""
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, _Function):
                inner = scope._replace(function=child)
                scope.module.functions[child.name].append(inner)
            elif isinstance(child, ast.ClassDef):
                self._bases[child.name] = [_name(base) for base in child.bases]
                inner = scope._replace(of_class=child.name)
            elif isinstance(child, ast.Call):
                self._calls[_name(child.func)].append((scope, child))
            elif isinstance(child, ast.ImportFrom):
                scope.module.imported |= {each.asname or each.name for each in child.names}
            elif scope.function is None:
                scope.module.constants.update(_assigned(child))
            if scope.function is not None:
                for name, value in _assigned(child):
                    self._locals.setdefault(scope.function, defaultdict(list))[name].append(value)
            self._read(child, inner)

    def _printed(self) -> Iterator[_Kept]:
        """Yield what an error of this project is made from, and what is printed."""
        errors = {*_BUILT_IN_ERRORS}
        while more := {name for name, bases in self._bases.items() if errors & {*bases}} - errors:
            errors |= more
        errors -= _BUILT_IN_ERRORS
        for name, calls in self._calls.items():
            for scope, call in calls:
                if name in errors | _MORE_ERRORS | _PRINTED or (name == "__init__" and scope.of_class in errors):
                    yield from ((scope, part) for part in _arguments(call))
                yield from ((scope, each.value) for each in call.keywords if each.arg in _KEPT)
        for name in _KEPT:
            yield from ((scope, value) for scope in self._functions[name] for value in _results(scope.function))
            for function, values in self._locals.items():
                scope = next(each for each in self._functions[function.name] if each.function is function)
                yield from ((scope, value) for value in values.get(name, ()))

    def _text(self, scope: _Scope, expression: ast.expr, follow: Callable[[_Kept], None], depth: int = 0) -> str:
        """Return the text of an expression; what varies in it is given to `follow`."""
        match expression:
            case ast.Constant(value=value):
                return value if isinstance(value, str) else VARIES
            case ast.JoinedStr() | ast.BinOp(op=ast.Add()):
                parts = expression.values if isinstance(expression, ast.JoinedStr) else [expression.left, expression.right]
                return "".join(self._text(scope, part, follow, depth) for part in parts)
            case ast.FormattedValue(value=part, conversion=conversion, format_spec=specification):
                plain = specification is None and conversion == _NO_CONVERSION
                return self._text(scope, part, follow, depth) if plain else VARIES
            case ast.Call(func=ast.Attribute(value=part, attr="format")):
                return re.sub(r"\{[^}]*\}", VARIES, self._text(scope, part, follow, depth))
        origins = [*self._origins(scope, expression)]
        is_text = len(origins) == 1 and isinstance(origins[0][1], ast.Constant | ast.JoinedStr)
        if is_text and depth < _DEEPEST and not self._may_be_another(scope, expression):
            return self._text(*origins[0], follow, depth + 1)
        for origin in origins:
            follow(origin)
        return VARIES

    def _may_be_another(self, scope: _Scope, expression: ast.expr) -> bool:
        """Tell whether the one known value is a field's default, or what the only caller gives."""
        if isinstance(expression, ast.Name) and scope.function is not None:
            return expression.id in _parameters(scope.function) and expression.id not in self._locals.get(scope.function, {})
        return isinstance(expression, ast.Attribute) and not expression.attr.isupper()

    def _origins(self, scope: _Scope, expression: ast.expr) -> Iterator[_Kept]:
        """Yield the expressions that may give an expression its value."""
        match expression:
            case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, right=second):
                yield from ((scope, first), (scope, second))
            case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Dict(values=parts):
                yield from ((scope, part) for part in parts)
            case (
                ast.Starred(value=part)
                | ast.Subscript(value=part)
                | ast.NamedExpr(value=part)
                | ast.ListComp(elt=part)
                | ast.GeneratorExp(elt=part)
                | ast.Lambda(body=part)
            ):
                yield scope, part
            case ast.Name(id=name) if scope.function is not None and name in self._locals.get(scope.function, {}):
                yield from ((scope, value) for value in self._locals[scope.function][name])
            case ast.Name(id=name) if scope.function is not None and name in _parameters(scope.function):
                yield from self._given(scope, name)
            case ast.Name(id=name):
                yield from self._named(scope, name)
            case ast.Attribute(value=part, attr=name):
                named = [*self._named(scope, name)]
                yield from named or [(scope, part)]
            case ast.Call():
                yield from self._returned(scope, expression)

    def _named(self, scope: _Scope, name: str) -> Iterator[_Kept]:
        """Yield the constant of a name: the module's own one, or all that may be imported."""
        own = scope.module.constants.get(name)
        if own is not None:
            yield _Scope(scope.module), own
        elif name.isupper():
            yield from self._constants[name]

    def _given(self, scope: _Scope, name: str) -> Iterator[_Kept]:
        """Yield what the callers of a function give for a parameter."""
        function = scope.function
        if function is None:
            return
        called = scope.of_class if function.name == "__init__" else function.name
        names = [each for each in _parameters(function) if each not in {"self", "cls"}]
        for there, call in self._calls[called or ""]:
            if function.name.startswith("_") and function.name != "__init__" and there.module is not scope.module:
                continue
            values = dict(zip(names, call.args, strict=False)) | {each.arg: each.value for each in call.keywords if each.arg}
            if name in values:
                yield there, values[name]

    def _returned(self, scope: _Scope, call: ast.Call) -> Iterator[_Kept]:
        """Yield what a function of this project returns or yields; of any other one, what it is given."""
        name = _name(call.func)
        own = scope.module.functions.get(name, [])
        if not own and (name in scope.module.imported or len(self._functions[name]) == 1):
            own = self._functions[name]
        for inner in own:
            yield from ((inner, value) for value in _results(inner.function))
        if not own or name in _BUILT_IN:
            yield from ((scope, argument) for argument in _arguments(call))
            if isinstance(call.func, ast.Attribute):
                yield scope, call.func.value


def _results(function: _Function | None) -> Iterator[ast.expr]:
    """Yield what a function returns or yields."""
    for node in ast.walk(function) if function else ():
        if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value is not None:
            yield node.value


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _parameters(function: _Function) -> list[str]:
    return [each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def _name(expression: ast.expr) -> str:
    """Return the last name of `name` or `some.name`."""
    match expression:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return _name(function)
    return ""


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a statement gives a value, with the value."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _pairs(target, value)
        case (
            ast.AnnAssign(target=target, value=ast.expr() as value)
            | ast.AugAssign(target=target, value=value)
            | ast.NamedExpr(target=target, value=value)
            | ast.For(target=target, iter=value)
            | ast.comprehension(target=target, iter=value)
        ):
            yield from _pairs(target, value)
        case ast.Call(func=ast.Attribute(value=ast.Name() as target, attr="append" | "extend"), args=[value]):
            yield from _pairs(target, value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple):
        own = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
        for number, each in enumerate(target.elts):
            yield from _pairs(each, value.elts[number] if own and isinstance(value, ast.Tuple) else value)
