"""A table of a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """Return a table of a header and rows that begin with their name; of kind `texts`, one that ends in a wide column."""
    header = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "\n".join(
        f"<tr><th>{escape(row[0])}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>" for row in rows[1:]
    )
    return f'<div class="wide"><table class="{kind}"><thead><tr>{header}</tr></thead>\n{body}\n</table></div>'
