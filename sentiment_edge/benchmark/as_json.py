"""The object that `bench --json` prints. Names are stable, figures unrounded: seconds and bytes; what is not known is null."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sentiment_edge_runtimes.engines.selection import installed_engines
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.machine.threads import usable_cpus

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge.benchmark.run import Report, Result


def bench_json(report: Report, lines: Path | None) -> str:
    """Return the report as JSON.

    Args:
        report: what was measured.
        lines: the file that the lines came from; None for the bundle's own.
    """
    torch = report.torch
    answer = {
        "cpu": cpu_features().name,
        "usable_cpus": usable_cpus(),
        "engines": installed_engines(),
        "input": None if lines is None else str(lines),
        "results": [_result(report, result) for result in report.results],
        "torch": None
        if torch is None
        else {
            "checkpoint": torch.name,
            "version": torch.version,
            "results": [
                {"threads": threads, "latency": [latency._asdict() for latency in latencies]}
                for threads, latencies in torch.latencies.items()
            ],
        },
    }
    return json.dumps(answer, indent=2)


def _result(report: Report, result: Result) -> dict[str, Any]:
    bundle, engine, threads = result.subject
    return {
        "bundle": str(bundle.root),
        "precision": bundle.manifest.computed_in(engine),
        "engine": engine,
        "threads": threads,
        "latency": [
            {**latency._asdict(), "times_torch": report.times_torch(result.subject, latency)} for latency in result.latencies
        ],
        "throughput": result.throughput._asdict(),
        "cold_start": result.start._asdict(),
    }
