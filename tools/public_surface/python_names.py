"""The public names of a module with their signatures, a line for each parameter and member."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, ForwardRef, Literal, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_SPECIAL = {"__call__", "__enter__", "__exit__", "__iter__", "__len__"}
"""Methods that are public in spite of their underscores."""
_OF_THE_PLATFORM = re.compile(r" at 0x[0-9a-f]+|Posix|Windows")
"""Parts of a default's `repr` that differ between processes and systems."""


def describe(*modules: ModuleType) -> Iterator[str]:
    """Yield the lines for what `__all__` lists; what an earlier module lists too is only named again."""
    seen: dict[int, str] = {}
    for module in modules:
        for name in module.__all__:
            value = getattr(module, name)
            whole = f"{module.__name__}.{name}"
            first = seen.setdefault(id(value), whole)
            yield from ("", whole, *_indented(_value(value) if first == whole else iter([f"is {first}"])))


def describe_types(*modules: ModuleType) -> Iterator[str]:
    """Yield each closed set that modules have, which signatures name, with its values."""
    sets = {name: value for module in modules for name, value in vars(module).items() if get_origin(value) is Literal}
    for name, value in sorted(sets.items()):
        yield from ("", name, f"    is one of {', '.join(map(repr, get_args(value)))}")


def _value(value: object) -> Iterator[str]:
    if inspect.isclass(value):
        return _class(value)
    return _signature(value) if callable(value) else iter([f"= {value!r}"])


def _class(cls: type) -> Iterator[str]:
    if cls.__bases__ != (object,):
        yield f"extends {', '.join(base.__name__ for base in cls.__bases__)}"
    ours = [base for base in reversed(cls.__mro__) if base.__module__.startswith("sentiment_edge")]
    made_by_us = any({"__init__", "__new__"} & vars(base).keys() for base in ours)
    if made_by_us and not getattr(cls, "_is_protocol", False):
        yield from ("made by", *_indented(_signature(cls)))
    fields = {name: annotation for base in ours for name, annotation in inspect.get_annotations(base).items()}
    members = {name: member for base in ours for name, member in vars(base).items() if name not in fields}
    yield from (f"{name}: {_annotation(annotation)}" for name, annotation in fields.items() if _is_public(name))
    yield from (f"{name} (attribute)" for name in sorted(_set_on_self(ours) - fields.keys()) if _is_public(name))
    for name in sorted(filter(_is_public, members)):
        yield from _member(name, members[name])


def _set_on_self(classes: list[type]) -> set[str]:
    """Return the attributes that methods give to an object: no class tells of them."""
    texts = [textwrap.dedent(inspect.getsource(base)) for base in classes]
    nodes = [node for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)]
    return {node.attr for node in nodes if isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"}


def _is_public(name: str) -> bool:
    return name in _SPECIAL or not name.startswith("_")


def _member(name: str, member: object) -> Iterator[str]:
    if isinstance(member, property) and member.fget is not None:
        yield f"{name}: {member.fget.__annotations__['return']} (property)"
    elif isinstance(member, classmethod | staticmethod):
        yield from (f"{name} ({type(member).__name__})", *_indented(_signature(member.__func__)))
    elif callable(member):
        yield from (name, *_indented(_signature(member)))
    else:
        yield f"{name} = {member!r}"


def _signature(function: object) -> Iterator[str]:
    signature = inspect.signature(function)  # type: ignore[arg-type]
    for parameter in signature.parameters.values():
        if parameter.name not in {"self", "cls"}:
            keyword = " (keyword only)" if parameter.kind is parameter.KEYWORD_ONLY else ""
            default = "" if parameter.default is parameter.empty else f" = {_default(parameter.default)}"
            yield f"{parameter.name}: {_annotation(parameter.annotation)}{default}{keyword}"
    if not inspect.isclass(function):
        yield f"-> {_annotation(signature.return_annotation)}"


def _default(value: object) -> str:
    """Return a default as code has it; options that are themselves all at their defaults by their class alone."""
    if is_dataclass(value) and not isinstance(value, type) and value == type(value)():
        return f"{type(value).__name__}()"
    return _OF_THE_PLATFORM.sub("", repr(value))


def _annotation(annotation: object) -> str:
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)
