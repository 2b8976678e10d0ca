"""What matters of a machine to whoever runs a bundle on it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.engines.saturation import products_saturate
from sentiment_edge_runtimes.engines.selection import installed_engines
from sentiment_edge_runtimes.machine.cache import cache_folder
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.memory import machine_memory
from sentiment_edge_runtimes.machine.threads import usable_cpus
from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge_runtimes.machine.cpu import CpuFeatures
    from sentiment_edge_runtimes.machine.memory import Memory
    from sentiment_edge_runtimes.vocabulary import EngineName


class Machine(NamedTuple):
    """The machine, and what is installed on it."""

    system: str
    """Operating system and architecture."""
    python: str
    sentiment_edge: str
    cpu: CpuFeatures
    usable_cpus: int
    memory: Memory
    products_saturate: bool
    """Whether int8 products saturate, so that slower exact kernels run."""
    engines: dict[EngineName, str | None]
    """The version of each; None where it is not installed."""
    cache: Path | None
    """Where timings and compiled models are remembered."""
    cache_writable: bool


def examine() -> Machine:
    """Look at this machine; nothing on it is changed."""
    installed = installed_engines()
    cache = cache_folder()
    return Machine(
        f"{platform.system()} {platform.machine()}",
        platform.python_version(),
        version("sentiment-edge"),
        cpu_features(),
        usable_cpus(),
        machine_memory(),
        products_saturate(),
        {name: installed.get(name) for name in ENGINES},
        cache,
        cache is not None and _can_be_written(cache),
    )


def install_command(engine: EngineName) -> str:
    """Return what installs an engine."""
    return f"pip install 'sentiment-edge[{engine}]'"


def _can_be_written(folder: Path) -> bool:
    """Whether files can be made in it; where it is not there yet, whether it can be made."""
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.exists(path))  # noqa: PTH110 - Path.exists raises where a folder may not be entered
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
