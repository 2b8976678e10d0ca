"""All measures, in the order in which they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.structure.imports import measure_imports
from tools.structure.sizes import measure_sizes
from tools.structure.words import measure_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.structure.measure import Measure
    from tools.structure.source import Module


def measure_all(modules: Sequence[Module]) -> list[Measure]:
    """Measure the modules in every respect that has a limit."""
    return [*measure_sizes(modules), *measure_imports(modules), *measure_words(modules)]
