"""A machine and a bundle's diagnosis as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge.render.text import visible
from sentiment_edge_runtimes.engines.loader import install_command
from sentiment_edge_runtimes.engines.selection import ENGINE_VARIABLE
from sentiment_edge_runtimes.engines.telemetry import TELEMETRY_VARIABLE
from sentiment_edge_runtimes.machine.cache import FOLDER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge.diagnosis.engine import Diagnosis
    from sentiment_edge.diagnosis.machine import Machine
    from sentiment_edge_runtimes.machine.memory import Memory

_TITLES = 16
"""Columns of the titles on the left."""


def text(machine: Machine, diagnosis: Diagnosis) -> str:
    """Return a line for each property of the machine and of the bundle on it."""
    return "\n".join(
        f"{title:<{_TITLES}}{visible(value)}".rstrip() for title, value in (*_machine(machine), ("", ""), *_bundle(diagnosis))
    )


def _machine(machine: Machine) -> Iterator[tuple[str, str]]:
    cpu = machine.cpu
    yield "sentiment-edge", f"{machine.sentiment_edge}, Python {machine.python} ({machine.python_bits}-bit), {machine.system}"
    yield "CPU", cpu.name or "unknown"
    yield "features", " ".join(cpu.features) or "none of those that matter here"
    yield "int8", cpu.int8_products
    yield (
        "",
        "products saturate, so exact kernels run, at half the speed" if machine.products_saturate else "products are exact",
    )
    yield "usable CPUs", str(machine.usable_cpus)
    if clock := str(machine.clock):
        yield "clock", clock
    yield "memory", _memory(machine.memory)
    for name, version in machine.engines.items():
        yield name, version or f"not installed: {install_command(name)}"
    yield "cache", _cache(machine)
    yield "telemetry", f"may be sent: {machine.reporting}" if machine.reporting else "off: no engine's library reports"
    yield "", f"set {TELEMETRY_VARIABLE}=1 for programs that import an engine's library before sentiment_edge"


def _memory(memory: Memory) -> str:
    parts = (
        (memory.total, "{:.1f} GB"),
        (memory.limit, "{:.1f} GB of it for this container"),
        (memory.available, "{:.1f} GB available"),
    )
    return ", ".join(words.format(size / 1e9) for size, words in parts if size is not None) or "unknown"


def _cache(machine: Machine) -> str:
    if machine.cache is None:
        return f"none, so nothing is remembered: pip install platformdirs, or set {FOLDER_VARIABLE}"
    if machine.cache_writable:
        return str(machine.cache)
    return f"{machine.cache}: cannot be written, so nothing is remembered; set {FOLDER_VARIABLE} to a folder that can"


def _bundle(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    bundle = diagnosis.bundle
    yield "bundle", str(bundle.root)
    yield "", f"{bundle.manifest.family}, {bundle.manifest.precision}, for {' and '.join(bundle.manifest.engines)}"
    if diagnosis.asked is not None:
        yield "environment", f"{ENGINE_VARIABLE}={diagnosis.asked}"
    if diagnosis.engine is None:
        yield "engine", "none can run it"
    else:
        threads = f"{diagnosis.threads} thread{'s' * (diagnosis.threads > 1)}"
        yield "engine", f"{diagnosis.engine}, {threads}: {diagnosis.reason}"
    for reason in diagnosis.refused:
        yield "refused", reason
    for timing in diagnosis.timings:
        times = ", ".join(f"{name} {1000 * seconds:.2f} ms" for name, seconds in timing.seconds.items())
        yield f"{timing.texts} x {timing.tokens} tokens", times
