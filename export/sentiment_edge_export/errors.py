"""What can go wrong between a checkpoint and its bundle; all of it is a `SentimentEdgeError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sentiment_edge_export.back_off import Sensitivity
    from sentiment_edge_export.parity.report import ParityReport

_RANKED = 10
"""Weights that a refusal lists."""


class CheckpointError(SentimentEdgeError, ValueError):
    """A checkpoint whose files are missing, damaged or contradict each other."""


class UnknownModel(SentimentEdgeError, LookupError):
    """Neither a known name, nor a folder, nor a Hub id."""

    def __init__(self, name: str, nearest: Iterable[str]) -> None:
        guess = " or ".join(nearest)
        advice = f"did you mean {guess}?" if guess else "`sentiment-edge models` lists the names"
        super().__init__(f"{name}: no such model or folder; {advice} (a Hub id has the form owner/name)")


class HubError(SentimentEdgeError, OSError):
    """The Hub could not give the files."""


class OutputError(SentimentEdgeError, OSError):
    """The bundle could not be written."""


class OutputExists(OutputError, FileExistsError):
    """The output is already there."""

    def __init__(self, output: Path) -> None:
        super().__init__(f"{output} exists; choose another --output, or --overwrite it")


class ExportError(SentimentEdgeError, RuntimeError):
    """The exported graph is not what was promised."""


class ParityError(SentimentEdgeError):
    """The bundle does not give torch's answers; it was not written. The message goes on with the worst texts, a line each."""

    exit_status = 3

    def __init__(self, report: ParityReport, ranking: Sequence[Sensitivity] = ()) -> None:
        self.report = report
        self.ranking = ranking
        """The weights by the drift that each causes in int8, where that was measured."""
        lines = [f"parity refused, nothing written: {'; '.join(report.failures)}", "worst texts:", *_indented(report.worst)]
        if ranking:
            lines += ["what int8 does to each weight, worst first (more may stay fp32: --max-fp32-share):"]
            lines += _indented(ranking[:_RANKED])
        super().__init__("\n".join(lines))


def _indented(items: Iterable[object]) -> list[str]:
    return [f"  {item}" for item in items]
