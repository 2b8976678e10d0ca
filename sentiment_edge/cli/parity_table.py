"""The comparison with a reference, for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentiment_edge_runtimes.numerics import Condition

_HEADER = f"{'condition':<22}{'texts':>6}{'same label':>12}{'mean drift':>12}{'max drift':>11}{'max logit difference':>22}"


def parity_table(conditions: Iterable[Condition]) -> str:
    """Return one line per condition under a header."""
    rows = (
        f"{row.name:<22}{row.texts:>6}{row.agreement:>12.2%}{row.mean_drift:>12.2g}{row.max_drift:>11.2g}"
        f"{row.max_logit_difference:>22.2g}"
        for row in conditions
    )
    return "\n".join((_HEADER, *rows))
