"""The table of docs/licences.md: what each install brings, with the licence that each distribution's own metadata states."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from importlib.metadata import Distribution
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.steps import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PAGE = REPOSITORY / "docs/licences.md"
PACKAGE = "sentiment-edge"
_LEFT_OUT = {"test", "export-openvino"}
"""Extras that nobody ships, or that only join others."""
_TABLE = re.compile(r"(?<=<!-- table: begin -->\n).*?(?=<!-- table: end -->)", re.DOTALL)
_TEXT = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|ThirdParty)[^/]*$", re.IGNORECASE)
_LONGEST = 60
"""Characters of a licence's name; what is longer is the whole text."""


def updated_page(paths: Sequence[str]) -> str:
    """Return the page with the table of what is installed here and in other folders of packages.

    Raises:
        ValueError: a distribution that an extra brings is not installed in any.
    """
    lines = ["| distribution | licence | text in the wheel | brought by |", "|---|---|---|---|"]
    lines += (f"| {' | '.join(row)} |" for row in rows(paths))
    table = "\n".join(lines) + "\n"
    return _TABLE.sub(lambda _: table, PAGE.read_text("utf-8"))


def rows(paths: Sequence[str] = (), extras: Iterable[str] | None = None) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each distribution that the base install or an extra brings, by name."""
    package = _find(PACKAGE, paths)
    if extras is None:
        extras = {*(package.metadata.get_all("Provides-Extra") or [])} - _LEFT_OUT
    base = closure("", paths)
    brought_by = defaultdict(list, {name: ["base"] for name in base})
    for extra in sorted(extras):
        for name in closure(extra, paths) - base:
            brought_by[name].append(extra)
    for name in sorted(brought_by):
        found = _find(name, paths)
        texts = any(_TEXT.search(str(file)) for file in found.files or ())
        yield found.name, licence_of(found), "yes" if texts else "no", ", ".join(brought_by[name])


def closure(extra: str, paths: Sequence[str]) -> set[str]:
    """Return the names of all that an extra brings on this system, with what the base install brings."""
    reached: set[tuple[str, str]] = set()
    waiting = [(PACKAGE, ""), (PACKAGE, extra)]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in reached:
            continue
        reached.add((name, wanted))
        for text in _find(name, paths).requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                waiting += ((canonicalize_name(requirement.name), each) for each in ("", *requirement.extras))
    return {name for name, _ in reached} - {PACKAGE}


def licence_of(distribution: Distribution) -> str:
    """Return the licence as the metadata states it: an expression, else classifiers, else the name in free text."""
    stated = distribution.metadata.json
    if "license_expression" in stated:
        return str(stated["license_expression"])
    classifiers = [line for line in stated.get("classifier", ()) if line.startswith("License ::")]
    free = str(stated.get("license", "")).strip()
    short = free if len(free) <= _LONGEST and "\n" not in free and "::" not in free else ""
    return ", ".join(line.rpartition(" :: ")[2] for line in classifiers) or short or "not stated"


def _find(name: str, paths: Sequence[str]) -> Distribution:
    for found in Distribution.discover(name=name, path=[*sys.path, *paths]):
        return found
    raise ValueError(f"{name} is not installed, neither here nor in {', '.join(paths) or 'another folder'}")
