"""Whether something was printed as a page shows it."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_TOKEN = re.compile(r"\.\.\.|[-+]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:[eE][-+]?\d+)?|[^\W\d]\w*|[^\w\s]")
_MEASURED = re.compile(r"\b(?:per second|lines/s|seconds|ms|s|memory|MB|GB|MiB|GiB|load)\b")
_BAR = "\N{FULL BLOCK}"
_TOLERANCE = 0.02
"""How far a score may be from the one shown: CPUs differ, more so in int8. Of numbers above 1 it is a share."""


class _Token(NamedTuple):
    text: str
    is_measured: bool
    """Whether it is of time or memory, and so of a machine."""


def same(shown: str, printed: str) -> bool:
    """Tell whether the words are the same and the numbers close.

    Between words, blanks do not count. `...` stands for anything. Whole numbers are equal, other numbers close. Those of a line
    that speaks of time or memory, and of all lines below such a heading, are not compared. The length of a bar is not either.
    """
    return _matches(_tokens(shown), [token.text for token in _tokens(printed)])


def _tokens(text: str) -> list[_Token]:
    found = []
    for paragraph in text.replace('"', "'").replace(_BAR, "").split("\n\n"):
        lines = paragraph.strip("\n").splitlines()
        heading = len(lines) > 1 and not re.search(r"\d", lines[0]) and bool(_MEASURED.search(lines[0]))
        for line in lines:
            is_measured = heading or bool(_MEASURED.search(line))
            found += [_Token(token, is_measured) for token in _TOKEN.findall(line)]
    return found


def _matches(wanted: list[_Token], found: list[str]) -> bool:
    """Match as file names are matched: at a mismatch, the last gap takes one word more."""
    at = here = gap = resumed = 0
    while here < len(found):
        if at < len(wanted) and wanted[at].text == "...":
            at, resumed = at + 1, here
            gap = at
        elif at < len(wanted) and _equal(wanted[at], found[here]):
            at, here = at + 1, here + 1
        elif gap:
            resumed += 1
            at, here = gap, resumed
        else:
            return False
    return all(token.text == "..." for token in wanted[at:])


def _equal(wanted: _Token, found: str) -> bool:
    one, other = _number(wanted.text), _number(found)
    if one is None or other is None:
        return wanted.text == found
    if wanted.is_measured:
        return True
    if "." not in wanted.text:
        return one == other
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


def _number(text: str) -> float | None:
    return float(text.replace(",", "")) if text[-1].isdigit() and not text[0].isalpha() else None
