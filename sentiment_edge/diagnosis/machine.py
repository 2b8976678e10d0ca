"""Properties of a machine that matter for running bundles."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.engines.saturation import products_saturate
from sentiment_edge_runtimes.engines.selection import installed_engines
from sentiment_edge_runtimes.engines.telemetry import reporting
from sentiment_edge_runtimes.machine.cache import cache_folder
from sentiment_edge_runtimes.machine.clock import cpu_clock
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.memory import machine_memory
from sentiment_edge_runtimes.machine.system import PYTHON_BITS, system_name
from sentiment_edge_runtimes.machine.threads import usable_cpus
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge_runtimes.machine.clock import Clock
    from sentiment_edge_runtimes.machine.cpu import CpuFeatures
    from sentiment_edge_runtimes.machine.memory import Memory
    from sentiment_edge_runtimes.vocabulary import EngineName


class Machine(NamedTuple):
    """A machine, and the engines that are installed on it."""

    system: str
    """Operating system and architecture."""
    python: str
    python_bits: int
    sentiment_edge: str
    cpu: CpuFeatures
    usable_cpus: int
    memory: Memory
    clock: Clock
    products_saturate: bool
    """True if int8 products saturate on this CPU, so that slower exact kernels run."""
    engines: dict[EngineName, str | None]
    """The version of each; None if it is not installed."""
    cache: Path | None
    """The folder of remembered timings and compiled models."""
    cache_writable: bool
    reporting: str | None
    """The reason why an engine's library may report to its maker; None if none does."""


def examine() -> Machine:
    """Return the properties of this machine; nothing on it is changed."""
    installed = installed_engines()
    cache = cache_folder()
    return Machine(
        system_name(),
        platform.python_version(),
        PYTHON_BITS,
        version("sentiment-edge"),
        cpu_features(),
        usable_cpus(),
        machine_memory(),
        cpu_clock(),
        products_saturate(),
        {name: installed.get(name) for name in ENGINES},
        cache,
        cache is not None and _is_writable(cache),
        reporting(),
    )


def _is_writable(folder: Path) -> bool:
    """Return whether files can be written in a folder, or whether it can be made if it does not exist."""
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.exists(path))  # noqa: PTH110 - Path.exists raises if a folder may not be entered
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
