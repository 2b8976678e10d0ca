"""Names of the columns that labelling adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.inputs import free_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class AddedNames(NamedTuple):
    """A name for each column that may be added."""

    label: str
    score: str
    scores: str
    truncated: str


def names_beside(columns: Sequence[str]) -> AddedNames:
    """Return names that none of the columns has in any case: `predicted_label` where `label` is taken."""
    return AddedNames(*free_names(AddedNames._fields, {column.casefold() for column in columns}))


def taken(names: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    """Yield a remark if some columns could not get the names that were wanted."""
    changed = [f"{name} instead of {want}" for name, want in zip(names, wanted, strict=True) if name != want]
    if changed:
        yield f"columns of that name are there already, so the new ones are named {', '.join(changed)}"
