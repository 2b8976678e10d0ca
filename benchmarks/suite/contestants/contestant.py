"""A way to run a model, as the suite sees it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Bulk = Callable[[Sequence[str]], list[int]]
    """From many texts to the index of each one's class."""


class Unavailable(Exception):
    """The contestant cannot run the model."""


class Model(Protocol):
    """A model, opened."""

    def logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Run one batch; ids and mask are [batch, length]."""
        ...

    def ways(self) -> Mapping[str, Bulk]:
        """Return the ways to label many texts, the plainest first; a contestant's only way may have an empty name."""
        ...


@dataclass(frozen=True)
class Contestant:
    """One row of the tables."""

    name: str
    module: str
    """Its module in this folder."""
    options: tuple[str, ...] = ()
    """What its module's `open_model` takes besides the folder and the threads."""
    installs: tuple[str, ...] = ()
    """The distributions that its users install."""
    only_starts: bool = False
    """Its first answer is all that is measured."""
    fresh_cache: bool = False
    """Each of its processes starts with an empty cache."""

    @property
    def ours(self) -> bool:
        """Whether it is this project's."""
        return self.module == "ours"

    @property
    def built_with(self) -> tuple[str, ...]:
        """The distributions that make its files; empty if it reads the checkpoint itself."""
        return cast("tuple[str, ...]", self._code.BUILT_WITH)

    def check(self) -> None:
        """Raise Unavailable where a distribution is missing that it needs."""
        for name in (*self.built_with, *self.installs):
            try:
                version(name)
            except PackageNotFoundError:
                raise Unavailable(f"{name} is not installed") from None

    def build(self, checkpoint: str, folder: Path) -> None:
        """Make its files of a checkpoint in a folder that exists."""
        self._code.build(checkpoint, folder)

    def open(self, folder: Path, threads: int) -> Model:
        """Open the model from its files."""
        return cast("Model", self._code.open_model(folder, threads, *self.options))

    @property
    def _code(self) -> Any:  # noqa: ANN401 - a module
        return import_module(f"suite.contestants.{self.module}")
