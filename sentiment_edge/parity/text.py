"""A comparison with a reference as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentiment_edge_runtimes.comparison import Condition

_HEADER = f"{'texts':>6}{'same label':>12}{'mean drift':>12}{'99 %':>9}{'largest':>9}{'logits':>10}"


def text(conditions: Iterable[Condition]) -> str:
    """Return a table of the conditions: agreement, drifts, and the largest difference of a logit."""
    conditions = [*conditions]
    several = len({row.engine for row in conditions}) > 1
    names = [f"{row.engine + ', ' if several else ''}{row.precision}, {row.name}" for row in conditions]
    width = max(26, 2 + max(map(len, names)))
    rows = (
        f"{name:<{width}}{row.texts:>6}{row.agreement:>12.2%}{row.mean_drift:>12.2g}"
        f"{row.p99_drift:>9.2g}{row.max_drift:>9.2g}{row.max_logit_difference:>10.2g}"
        for name, row in zip(names, conditions, strict=True)
    )
    return "\n".join((f"{'condition':<{width}}{_HEADER}", *rows))
