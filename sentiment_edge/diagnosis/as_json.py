"""The object that `doctor --json` prints. Names are stable, figures are unrounded, unknown values are null."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge.render.json_text import json_text
from sentiment_edge_runtimes.engines.loader import install_command

if TYPE_CHECKING:
    from sentiment_edge.diagnosis.engine import Diagnosis
    from sentiment_edge.diagnosis.machine import Machine


def as_json(machine: Machine, diagnosis: Diagnosis) -> str:
    """Return both as JSON."""
    cpu, bundle = machine.cpu, diagnosis.bundle
    answer = {
        "sentiment_edge": machine.sentiment_edge,
        "python": machine.python,
        "python_bits": machine.python_bits,
        "system": machine.system,
        "cpu": {"name": cpu.name, "features": cpu.features, "int8_products": cpu.int8_products},
        "usable_cpus": machine.usable_cpus,
        "memory": machine.memory._asdict(),
        "clock": machine.clock._asdict(),
        "products_saturate": machine.products_saturate,
        "engines": {
            name: {"version": version, "install": None if version else install_command(name)}
            for name, version in machine.engines.items()
        },
        "cache": {"folder": None if machine.cache is None else str(machine.cache), "writable": machine.cache_writable},
        "telemetry": {"off": machine.reporting is None, "reason": machine.reporting},
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
    return json_text(answer)
