"""A square plot as inline SVG, without script, font or other file; the page's style has the colours."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLOURS = 8
"""Classes `c0` to `c7` of the page's style; further curves start over."""
_SIDE, _LEFT, _TOP, _BOTTOM = 300, 46, 12, 44
"""Pixels: the square, and the margins for its scales."""


_QUARTERS = tuple((tick, f"{tick:g}") for tick in (0, 0.25, 0.5, 0.75, 1))


class Axis(NamedTuple):
    """The scale on one side of the square."""

    name: str
    ticks: tuple[tuple[float, str], ...] = _QUARTERS
    """Position, from 0 to 1, and label of each tick."""


def plot(horizontal: Axis, vertical: Axis, shapes: Iterable[str]) -> str:
    """Return the square with its scales and the shapes in it."""
    width, height = _LEFT + _SIDE + 14, _TOP + _SIDE + _BOTTOM
    columns = [
        f'<path class="grid" d="M{across(at):.1f} {up(0)}V{_TOP}"/>'
        f'<text class="tick" x="{across(at):.1f}" y="{up(0) + 16}" text-anchor="middle">{shown}</text>'
        for at, shown in horizontal.ticks
    ]
    rows = [
        f'<path class="grid" d="M{_LEFT} {up(at):.1f}H{_LEFT + _SIDE}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{up(at) + 4:.1f}" text-anchor="end">{shown}</text>'
        for at, shown in vertical.ticks
    ]
    middle = _TOP + _SIDE / 2
    return "\n".join(
        (
            f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{vertical.name} over {horizontal.name}">',
            *columns,
            *rows,
            *shapes,
            f'<text x="{_LEFT + _SIDE / 2}" y="{height - 8}" text-anchor="middle">{horizontal.name}</text>',
            f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{vertical.name}</text>',
            "</svg>",
        )
    )


def bar(left: float, right: float, top: float, title: str) -> str:
    """Return a bar that stands on the horizontal axis, its edges from 0 to 1; the title shows when the pointer is on it."""
    return (
        f'<rect class="bar" x="{across(left):.1f}" y="{up(top):.1f}" '
        f'width="{_SIDE * (right - left) - 1:.1f}" height="{_SIDE * top:.1f}"><title>{escape(title)}</title></rect>'
    )


def dashed(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return a dashed line between two points, given from 0 to 1."""
    (left, low), (right, high) = start, end
    return f'<path class="mark" d="M{across(left):.1f} {up(low):.1f}L{across(right):.1f} {up(high):.1f}"/>'


def colour(index: int) -> str:
    """Return the page's class for the colour of a curve, by the curve's number."""
    return f"c{index % _COLOURS}"


def key(index: int, text: str) -> str:
    """Return an entry of a legend: the colour and its meaning."""
    return f'<span class="{colour(index)}"><span class="key"></span>{escape(text)}</span>'


def across(share: float) -> float:
    """Return the pixel of a position on the horizontal axis, from 0 to 1."""
    return _LEFT + _SIDE * share


def up(share: float) -> float:
    """Return the pixel of a position on the vertical axis, from 0 to 1."""
    return _TOP + _SIDE * (1 - share)


DIAGONAL = dashed((0, 0), (1, 1))
"""Where both axes are equal."""
