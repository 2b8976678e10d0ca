"""Numbers of rows that the user should know about."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sentiment_edge.data.columns import BadRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge.data.tables.record import Table
    from sentiment_edge_runtimes.prediction import FailedPrediction, Prediction

_LEFT_OUT = "correct them, or leave such rows out by `skip_bad`"


@dataclass
class Tally:
    """The rows so far, by what happened to them. `bad` and `faulty` are of one file."""

    unit: str = "rows"
    failed: int = 0
    first_failure: str = ""
    truncated: int = 0
    blank: int = 0
    bad: BadRows = field(default_factory=lambda: BadRows(_LEFT_OUT))
    """Rows that are left out, or refused."""
    faulty: BadRows = field(default_factory=BadRows)
    """Lines of which what can be read is labelled."""

    def add(self, unit: str, line: int, answer: Prediction | FailedPrediction | None) -> None:
        """Count an answer, whose row is a `unit` with this number."""
        if answer is None:
            self.blank += 1
        elif answer.label is None:
            self.first_failure = self.first_failure or f"{unit} {line}: {answer.error}"
            self.failed += 1
        else:
            self.truncated += answer.truncated

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON takes them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, entries: dict[str, Any]) -> Tally:
        """Return what `to_dict` gave, of which it keeps nothing."""
        entries = deepcopy(entries)
        bad, faulty = (BadRows(**entries[name]) for name in ("bad", "faulty"))
        return cls(**{**entries, "bad": bad, "faulty": faulty})

    def end_file(self, table: Table) -> Iterator[str]:
        """Yield remarks on a file's own rows, which count anew in the next."""
        if self.bad.count:
            yield f"{table.name}: {self.bad.count} rows left out that cannot be used: {self.bad.named(table)}"
        if self.faulty.count:
            yield f"{table.name}: {self.faulty.count} lines labelled as far as they can be read: {self.faulty.named(table)}"
        if self.blank and table.format != "lines":
            yield f"{table.name}: {self.blank} rows without a text got no label"
        self.bad, self.faulty, self.blank = BadRows(_LEFT_OUT), BadRows(), 0

    def remarks(self, max_length: int) -> Iterator[str]:
        """Yield remarks on all rows."""
        if self.failed:
            yield f"{self.failed} {self.unit} got no label; the first is {self.first_failure}"
        if self.truncated:
            yield f"{self.truncated} texts cut to the {max_length} tokens that the model reads"
