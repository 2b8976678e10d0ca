"""Several texts, whatever holds them; what holds something else, or no text at a place, is refused."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

from sentiment_edge_runtimes.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MISSING_TYPES = {"NAType", "NaTType", "NullType"}
"""Of the values by which pandas and others say that there is none."""


def as_list(texts: Iterable[str]) -> list[str]:
    """Return the texts as a list; a single string is one text, not its characters.

    Raises:
        InputError: they are none, or an item is none; the message names its position.
    """
    if isinstance(texts, str):
        return [texts]
    return list(text_source(texts))


def text_source(texts: Iterable[str]) -> Iterator[str]:
    """Return an iterator over texts, which raises InputError at an item that is none.

    Raises:
        InputError: they are no texts, such as a table.
    """
    _refuse_others(texts)
    if isinstance(texts, AsyncIterable):
        raise InputError(f"texts come asynchronously ({type(texts).__name__}): use astream() and `async for`")
    try:
        items = iter(texts)
    except TypeError as error:
        raise InputError(f"texts must be a string or several, not {type(texts).__name__}") from error
    return (as_text(item, position) for position, item in enumerate(items))


def text_source_async(texts: AsyncIterable[str]) -> AsyncIterable[str]:
    """Return texts that come asynchronously.

    Raises:
        InputError: they do not come asynchronously.
    """
    if not isinstance(texts, AsyncIterable):
        raise InputError(f"astream() takes texts that come asynchronously, not {type(texts).__name__}: use stream()")
    return texts


def as_text(item: Any, position: int) -> str:  # noqa: ANN401 - anything
    """Return an item, taken out of an Arrow scalar, if it is a text.

    Raises:
        InputError: it is none; the message names its position.
    """
    if isinstance(item, str):
        return item
    if hasattr(item, "as_py"):
        return as_text(item.as_py(), position)
    if is_missing(item):
        raise InputError(f'texts[{position}] is missing ({item!r}): leave such rows out, or fill them with ""')
    raise InputError(f"texts[{position}] must be a string, not {type(item).__name__}: {item!r:.60}")


def is_missing(item: object) -> bool:
    """Tell whether an item says that there is no value: None, NaN, and what pandas has for it."""
    if item is None or type(item).__name__ in _MISSING_TYPES:
        return True
    return isinstance(item, Real) and bool(item != item)  # noqa: PLR0124 - of all numbers, only NaN


def _refuse_others(texts: object) -> None:
    """Refuse what can be iterated, but over something else than texts: tables, mappings, arrays of several dimensions."""
    name = type(texts).__name__
    if isinstance(texts, str):
        raise InputError("stream() takes several texts; call the classifier for one")
    if isinstance(texts, bytes | bytearray | memoryview):
        raise InputError(f"texts are {name}: decode them first, such as `data.decode()`")
    if isinstance(texts, Mapping):
        raise InputError(f'texts are a mapping ({name}): pass those of one key, such as `rows["text"]`, or `rows.values()`')
    if hasattr(type(texts), "columns") or hasattr(type(texts), "column_names"):
        raise InputError(f'texts are a table ({name}): pass one column, such as `df["text"]`, or use `classifier.table(df)`')
    dimensions = len(_shape(texts))
    if dimensions != 1:
        raise InputError(f"texts are an array of {dimensions} dimensions: pass one of one, such as `array[:, 0]`")


def _shape(texts: object) -> tuple[object, ...]:
    shape = getattr(texts, "shape", None)
    return shape if isinstance(shape, tuple) else (0,)
