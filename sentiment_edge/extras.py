"""Optional dependencies: the extra to install when one is absent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Iterator


class MissingExtra(SentimentEdgeError, ImportError):
    """A feature's optional dependencies are not installed."""

    def __init__(self, extra: str, module: str | None) -> None:
        super().__init__(f"this needs {module}, which is not installed: pip install 'sentiment-edge[{extra}]'")


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Name the extra to install if an import in the block does not find a library.

    Raises:
        MissingExtra: a module outside this project is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("sentiment_edge"):
            raise  # our own fault, which no extra repairs
        raise MissingExtra(extra, error.name) from error
