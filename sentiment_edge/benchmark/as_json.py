"""The object that `bench --json` prints. Names are stable, figures are unrounded seconds and bytes, unknown values are null."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sentiment_edge.render.json_text import json_text
from sentiment_edge_runtimes.engines.selection import installed_engines
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.memory import machine_memory
from sentiment_edge_runtimes.machine.system import PYTHON_BITS, system_name
from sentiment_edge_runtimes.machine.threads import usable_cpus

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge.benchmark.result import BenchmarkReport, BenchmarkResult, TorchResult


def as_json(report: BenchmarkReport, lines: Path | None) -> str:
    """Return the report as JSON.

    Args:
        report: the measurements.
        lines: the file of the lines; None for the bundle's own.
    """
    answer = {
        "sentiment_edge": version("sentiment-edge"),
        "python": platform.python_version(),
        "python_bits": PYTHON_BITS,
        "system": system_name(),
        "cpu": cpu_features().name,
        "features": cpu_features().features,
        "usable_cpus": usable_cpus(),
        "memory": machine_memory()._asdict(),
        "load": report.load,
        "clock": report.clock._asdict(),
        "engines": installed_engines(),
        "input": None if lines is None else str(lines),
        "results": [_result(report, result) for result in report.results],
        "torch": None if report.torch is None else _torch(report.torch),
    }
    return json_text(answer)


def _result(report: BenchmarkReport, result: BenchmarkResult) -> dict[str, Any]:
    bundle, engine, threads = result.subject
    return {
        "bundle": str(bundle.root),
        "precision": bundle.manifest.computed_in(engine),
        "engine": engine,
        "threads": threads,
        "latency": [
            {**latency._asdict(), "times_torch": report.speedup(result.subject, latency)} for latency in result.latencies
        ],
        "throughput": result.throughput._asdict(),
        "cold_start": result.cold_start._asdict(),
    }


def _torch(torch: TorchResult) -> dict[str, Any]:
    return {
        "checkpoint": torch.name,
        "version": torch.version,
        "results": [
            {"threads": threads, "latency": [latency._asdict() for latency in latencies]}
            for threads, latencies in torch.latencies.items()
        ],
    }
