"""JSON in which no key occurs twice, for readers disagree on which counts; and values of the type that is asked for."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

_T = TypeVar("_T")


def loads(text: str) -> Any:  # noqa: ANN401 - as JSON has it
    """Return what JSON says.

    Raises:
        ValueError: it is not JSON, or a key occurs twice in an object.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_distinct)


def field(entries: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    """Return an entry of an object; raises KeyError if there is none, and as `typed` does."""
    return typed(entries[name], kind, name)


def optional(entries: Mapping[str, Any], name: str, kind: type[_T]) -> _T | None:
    """Return an entry of an object, None if there is none or it is null; raises as `typed` does."""
    return None if entries.get(name) is None else field(entries, name, kind)


def typed(value: object, kind: type[_T], name: str) -> _T:
    """Return a value of exactly a type.

    Raises:
        TypeError: it is of another.
    """
    if type(value) is not kind:
        raise TypeError(f"{name} is {value!r:.60}, not of type {kind.__name__}")
    return value


def one_of(value: object, allowed: tuple[str, ...], name: str) -> str:
    """Return a value that must be one of some.

    Raises:
        ValueError: it is none of them.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} is {value!r:.60}, not one of {', '.join(allowed)}")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise DuplicateKey(f"the key {twice!r:.60} occurs twice")
    return entries


class DuplicateKey(ValueError):
    """A key that occurs twice in one object."""
