"""What `doctor` prints: for reading, and as an object whose names are stable and figures unrounded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sentiment_edge.diagnosis.machine import install_command
from sentiment_edge_runtimes.engines.selection import ENGINE_VARIABLE
from sentiment_edge_runtimes.machine.cache import FOLDER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge.diagnosis.engine import Diagnosis
    from sentiment_edge.diagnosis.machine import Machine
    from sentiment_edge_runtimes.machine.memory import Memory

_TITLES = 16
"""Columns of what stands to the left."""


def as_object(machine: Machine, diagnosis: Diagnosis) -> str:
    """Return both as JSON; what is not known or not there is null."""
    cpu, bundle = machine.cpu, diagnosis.bundle
    answer = {
        "sentiment_edge": machine.sentiment_edge,
        "python": machine.python,
        "system": machine.system,
        "cpu": {"name": cpu.name, "features": cpu.features, "int8_products": cpu.int8_products},
        "usable_cpus": machine.usable_cpus,
        "memory": machine.memory._asdict(),
        "products_saturate": machine.products_saturate,
        "engines": {
            name: {"version": version, "install": None if version else install_command(name)}
            for name, version in machine.engines.items()
        },
        "cache": {"folder": None if machine.cache is None else str(machine.cache), "writable": machine.cache_writable},
        "bundle": {
            "bundle": str(bundle.root),
            "family": bundle.manifest.family,
            "precision": bundle.manifest.precision,
            "engines": list(bundle.manifest.engines),
            "threads": diagnosis.threads,
            "engine": diagnosis.engine,
            "reason": diagnosis.reason,
            "asked_by_environment": diagnosis.asked,
            "timings": [timing._asdict() for timing in diagnosis.timings],
            "refused": diagnosis.refused,
            "problem": diagnosis.problem,
        },
    }
    return json.dumps(answer, indent=2)


def as_text(machine: Machine, diagnosis: Diagnosis) -> str:
    """Return a line for each thing there is to know."""
    return "\n".join(
        f"{title:<{_TITLES}}{what}".rstrip() for title, what in (*_machine(machine), ("", ""), *_bundle(diagnosis))
    )


def _machine(machine: Machine) -> Iterator[tuple[str, str]]:
    cpu = machine.cpu
    yield "sentiment-edge", f"{machine.sentiment_edge}, Python {machine.python}, {machine.system}"
    yield "CPU", cpu.name or "unknown"
    yield "features", " ".join(cpu.features) or "none of those that matter here"
    yield "int8", cpu.int8_products
    yield (
        "",
        "products saturate, so exact kernels run, at half the speed" if machine.products_saturate else "products are exact",
    )
    yield "usable CPUs", str(machine.usable_cpus)
    yield "memory", _memory(machine.memory)
    for name, version in machine.engines.items():
        yield name, version or f"not installed: {install_command(name)}"
    yield "cache", _cache(machine)


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
