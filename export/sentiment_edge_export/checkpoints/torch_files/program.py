"""Running a pickle on descriptions: calls are noted instead of made, and nothing is looked up or imported."""

from __future__ import annotations

import pickletools
from typing import TYPE_CHECKING, Any, ClassVar

from sentiment_edge_export.checkpoints.torch_files.contents import (
    MalformedTorchFile,
    MoreThanTensors,
    Named,
    Opaque,
    Storage,
    call,
    make_storage,
    name_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BytesIO

LONGEST = 32 * 2**20
"""The largest accepted pickle, in bytes. That of a large language model has less than one million."""
_MOST_STEPS = 1_000_000
"""The most steps of a pickle, each of which may make an object of some hundred bytes; a tensor takes about 30."""
_ORDERED_DICT = "collections.OrderedDict"
_LITERALS = (
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("SHORT_BINSTRING", "BINSTRING", "SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES", "BYTEARRAY8"),
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_SET": Opaque("builtins.set")}
_EMPTY: dict[str, Callable[[], object]] = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = ("PROTO", "FRAME")


class PickleReader:
    """Runs the pickles of one file."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}
        """All storages that a pickle mentioned, by key."""
        self._steps = 0
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self, code: BytesIO) -> object:
        """Return the object that the next pickle describes.

        Raises:
            MoreThanTensors: it needs a class or function which does not belong to tensors.
            MalformedTorchFile: the pickle is damaged, or longer than any of tensors.
        """
        self._stack, self._marked, self._memo = [], [], {}
        try:
            for opcode, argument, _ in pickletools.genops(code):
                self._spend(1)
                if opcode.name == "STOP":
                    return self._stack.pop()
                self._step(opcode.name, argument)
        except (MalformedTorchFile, MoreThanTensors):
            raise
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise MalformedTorchFile("its pickle is damaged") from error
        raise MalformedTorchFile("its pickle is cut off")

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MOST_STEPS:
            raise MalformedTorchFile(f"its pickle takes more than {_MOST_STEPS} steps, which no file of weights does")

    def _step(self, name: str, argument: Any) -> None:  # noqa: ANN401 - as the opcode has it
        if name in _LITERALS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self._stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            self._stack.append(tuple(self._pop_last(_TUPLES[name])))
        elif name in self._operations:
            self._operations[name](self, argument)
        elif name not in _IGNORED:
            raise MalformedTorchFile(f"its pickle has an instruction {name}, which torch does not write")

    def _pop_last(self, number: int) -> list[Any]:
        if len(self._stack) < number:
            raise MalformedTorchFile("its pickle is damaged")
        items = self._stack[-number:]
        del self._stack[-number:]
        return items

    def _pop_marked(self) -> list[Any]:
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _mark(self, _: object) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _tuple(self, _: object) -> None:
        items = tuple(self._pop_marked())
        self._stack.append(items)

    def _get(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def _put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def _memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _global(self, argument: str) -> None:
        module, name = argument.split(" ", 1)
        self._stack.append(name_of(module, name))

    def _stack_global(self, _: object) -> None:
        module, name = self._pop_last(2)
        if type(module) is not str or type(name) is not str:
            raise MalformedTorchFile("its pickle is damaged")
        self._stack.append(name_of(module, name))

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, Opaque):
            raise MalformedTorchFile("its pickle is damaged")

    def _append(self, _: object) -> None:
        self._extend(self._pop_last(1))

    def _extend_marked(self, _: object) -> None:
        self._extend(self._pop_marked())

    def _set(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, dict):
            _enter(target, zip(items[::2], items[1::2], strict=True))
        elif not isinstance(target, Opaque):
            raise MalformedTorchFile("its pickle is damaged")

    def _set_one(self, _: object) -> None:
        self._set(self._pop_last(2))

    def _set_marked(self, _: object) -> None:
        self._set(self._pop_marked())

    def _reduce(self, _: object) -> None:
        function, arguments = self._pop_last(2)
        if not isinstance(function, Named) or type(arguments) is not tuple:
            raise MalformedTorchFile("its pickle is damaged")
        self._stack.append(self._ordered(arguments) if function.name == _ORDERED_DICT else call(function, arguments))

    def _ordered(self, arguments: tuple[Any, ...]) -> dict[Any, Any]:
        pairs = arguments[0] if arguments else []
        self._spend(len(pairs))  # one list may be given again and again
        return _enter({}, pairs)

    def _new(self, _: object) -> None:
        kind, _arguments = self._pop_last(2)
        self._stack.append(Opaque(kind.name))

    def _build(self, _: object) -> None:
        self._pop_last(1)  # attributes, such as the versions of modules in `_metadata`

    def _storage(self, _: object) -> None:
        (description,) = self._pop_last(1)
        storage = make_storage(description)
        whole = storage._replace(start=0)
        if self.storages.setdefault(storage.key, whole) != whole:
            raise MalformedTorchFile("a storage is described twice, differently")
        self._stack.append(storage)

    _operations: ClassVar[dict[str, Callable[[PickleReader, Any], None]]] = {
        "MARK": _mark,
        "TUPLE": _tuple,
        "BINGET": _get,
        "LONG_BINGET": _get,
        "BINPUT": _put,
        "LONG_BINPUT": _put,
        "MEMOIZE": _memoize,
        "GLOBAL": _global,
        "STACK_GLOBAL": _stack_global,
        "APPEND": _append,
        "APPENDS": _extend_marked,
        "ADDITEMS": _extend_marked,
        "SETITEM": _set_one,
        "SETITEMS": _set_marked,
        "REDUCE": _reduce,
        "NEWOBJ": _new,
        "BUILD": _build,
        "BINPERSID": _storage,
    }


def _enter(target: dict[Any, Any], pairs: Any) -> dict[Any, Any]:  # noqa: ANN401 - as the pickle has it
    """Enter pairs of key and value; no weights are called by other keys, and hashing a nested tuple may take forever."""
    target.update((key, value) for key, value in pairs if isinstance(key, str | int))
    return target
