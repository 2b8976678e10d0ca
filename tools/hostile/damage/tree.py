"""Damage to trees of maps, lists and values, such as JSON, MessagePack and CBOR hold, and their writing as JSON."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from tools.hostile.damage.raw import INTEGERS, NUMBERS, damage_bytes, pick

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Container = dict[Any, Any] | list[Any]

_DEPTHS = (30, 200, 900, 100_000)
_LONGEST = 100_000
"""Items of a value that was multiplied, about."""
_SHORT = ("", " ", "\0", "\ud800", "\udfff\ud800", "é\u2028\x85\x0b", "\x1b[31m[/b]", "null", "a\nb\r\nc", "%s{0}", "=1+1")
_MEANT = ("../../etc/passwd", "/", "..", "C:\\x", "[UNK]", "(a+)+$", "٣", "True", "float16", "BF16", "[CLS]", "gelu", "int8")
_STRINGS = (*_SHORT, *_MEANT, "x" * 300, "x" * 5000, "x" * 1_000_000)
_ODD: tuple[Any, ...] = (None, True, False, 0.5, -0.0, 1e308, {}, [], [[]], [None], {"": None}, [0] * 1000)
_VALUES = (*_ODD, *INTEGERS, *_STRINGS)


class _Raw:
    """Text that stands in JSON as it is."""

    def __init__(self, text: str) -> None:
        self.text = text


def damage_tree(random: Random, tree: Any, extra: tuple[Any, ...] = ()) -> Any:  # noqa: ANN401 - any tree
    """Return a copy of the tree with one to three changes; `extra` are more values to put in the place of others."""
    holder = [copy.deepcopy(tree)]
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        random.choice(_CHANGES)(random, *_place(random, holder), (*_VALUES, *extra))
    return holder[0]


def damage_json(random: Random, text: bytes) -> bytes:
    """Return JSON with damage to what it says, seldom to its bytes; also what JSON can say and a tree cannot."""
    if pick(random, {"bytes": 1, "tree": 6}) == "bytes":
        return damage_bytes(random, text)
    nested = tuple(
        _Raw(opened * depth + closed * depth) for depth in _DEPTHS for opened, closed in (("[", "]"), ('{"a":', "}"))
    )
    raw = (
        *map(_Raw, NUMBERS),
        *nested,
        *(_Raw(part) for part in ("", "nul", "'a'", '"\\ud800"', '"\\u00"', "[1,]", "01", "1 2")),
    )
    try:
        tree = damage_tree(random, json.loads(text), raw)
    except RecursionError:  # it was made that deep before
        return damage_bytes(random, text)
    if isinstance(tree, dict) and tree and pick(random, {"twice": 1, "once": 9}) == "twice":
        key = random.choice([*tree])
        tree = {**tree, _MARK: _Raw(f"{json.dumps(tree[key], default=_nothing)}, {json.dumps(key)}: null")}
    return _write(tree)


def damage_sizes(random: Random, text: bytes) -> bytes:
    """Return a JSON object with one or two of its numbers made extreme."""
    tree = json.loads(text)
    parts = [tree, *(value for value in tree.values() if isinstance(value, dict))]
    places = [(part, key) for part in parts for key, value in part.items() if isinstance(value, int | float)]
    for part, key in random.sample(places, min(len(places), random.choice((1, 1, 2)))):
        part[key] = random.choice(
            (*INTEGERS, 10**6, 10**7, 10**9, part[key] * 10**6, part[key] + 1, -part[key], 0.5, None, "2")
        )
    return json.dumps(tree).encode()


_MARK = "@raw@"


def _nothing(_: object) -> None:
    return None


def _write(tree: Any) -> bytes:  # noqa: ANN401 - any tree
    """Write a tree as JSON, what is raw in it as it is."""
    raws: list[str] = []

    def mark(value: object) -> str:
        raws.append(value.text if isinstance(value, _Raw) else json.dumps(str(value)))
        return f"{_MARK}{len(raws) - 1}@"

    text = json.dumps(tree, default=mark, skipkeys=True)
    for number, raw in enumerate(raws):
        text = text.replace(f'"{_MARK}{number}@"', raw)
    return text.encode("utf-8", "surrogatepass")


def _place(random: Random, holder: list[Any]) -> tuple[Container, Any]:
    """Return a container and a key in it, as likely near the root as deep inside."""
    container: Container = holder
    key: Any = 0
    while isinstance(container[key], dict | list) and container[key] and pick(random, {True: 6, False: 1}):
        container = container[key]
        key = random.choice([*container]) if isinstance(container, dict) else random.randrange(len(container))
    return container, key


def _replace(random: Random, container: Container, key: Any, values: tuple[Any, ...]) -> None:  # noqa: ANN401
    value = random.choice(values)
    container[key] = copy.deepcopy(value) if isinstance(value, dict | list) else value


def _drop(_: Random, container: Container, key: Any, __: tuple[Any, ...]) -> None:  # noqa: ANN401
    if len(container) > 1 or isinstance(container, dict):
        del container[key]


def _rename(random: Random, container: Container, key: Any, values: tuple[Any, ...]) -> None:  # noqa: ANN401
    if isinstance(container, dict):
        container[random.choice([value for value in values if isinstance(value, str)])] = container.pop(key)


def _multiply(random: Random, container: Container, key: Any, _: tuple[Any, ...]) -> None:  # noqa: ANN401
    value = container[key]
    if isinstance(value, list | str | bytes):
        container[key] = value * random.choice((0, 2, min(1000, 2 + _LONGEST // (1 + len(value)))))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        container[key] = value * random.choice((-1, 0, 2, 10**6))


def _wrap(random: Random, container: Container, key: Any, _: tuple[Any, ...]) -> None:  # noqa: ANN401
    wrapped = container[key]
    for _depth in range(random.choice((1, 1, 2, 30, 300))):
        wrapped = random.choice(([wrapped], {str(key): wrapped}))
    container[key] = wrapped


def _swap(random: Random, container: Container, key: Any, _: tuple[Any, ...]) -> None:  # noqa: ANN401
    other = random.choice([*container]) if isinstance(container, dict) else random.randrange(len(container))
    container[key], container[other] = container[other], container[key]


def _shift(random: Random, container: Container, key: Any, _: tuple[Any, ...]) -> None:  # noqa: ANN401
    value = container[key]
    if isinstance(value, str):
        container[key] = random.choice((value + "x", value[:-1], value.upper(), "\0" + value, value + "\n", value + "\ud800"))
    elif isinstance(value, bytes):
        container[key] = damage_bytes(random, value)
    elif isinstance(value, int | float):
        container[key] = value + random.choice((-1, 1, 0.5))


_CHANGES: tuple[Callable[[Random, Container, Any, tuple[Any, ...]], None], ...] = (
    *(_replace,) * 5,
    *(_drop, _shift) * 2,
    _rename,
    _multiply,
    _wrap,
    _swap,
)
