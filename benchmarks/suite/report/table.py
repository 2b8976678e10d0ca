"""Results as tables in Markdown: ours in figures, the others as times ours."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from suite.report.results import FIRST_ANSWER, INSTALLED, MEMORY_TO_FILES, MODEL_FILES, PEAK_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from suite.report.results import Measured, Measurements, Results, Spread

    _Columns = Mapping[str, tuple[Measured, Callable[[float], str]]]
    """By head: the measure, and the way to write its figures."""

LEGEND = (
    "Rows of ours are figures. All other rows say how many times the better of our engines they take in that column, as the "
    "median of ratios within rounds of one run, with the quartiles in brackets: above 1, ours is better."
)
_WIDTH = 140
_UNITS: dict[str, tuple[str, Callable[[float], str]]] = {
    FIRST_ANSWER: ("s", lambda seconds: f"{seconds:.2f}"),
    PEAK_MEMORY: ("MB", lambda size: f"{size / 1e6:.0f}"),
    MODEL_FILES: ("MB", lambda size: f"{size / 1e6:.1f}"),
    MEMORY_TO_FILES: ("times", lambda ratio: f"{ratio:.2f}"),
    INSTALLED: ("MB", lambda size: f"{size / 1e6:.0f}"),
}


def render(results: Results) -> str:
    """Return all tables of one run, with the machine."""
    alone = len(results.subjects) == 1
    titles = [subject.title for subject in results.subjects.values()]
    parts = [f"### {titles[0] if alone else 'The usual models'}: {results.kind}, {results.date}", describe(results)]
    for subject in results.subjects.values():
        parts += [*([] if alone else [f"**{subject.title}**"]), *_tables(subject), *_remarks(subject)]
    return "\n\n".join(parts)


def describe(results: Results) -> str:
    """Return what the figures depend on, in a sentence."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    load = "not noted" if results.load is None else f"{results.load:.1f}"
    return wrapped(
        f"{results.cpu} ({', '.join(results.features)}), {results.cores} cores, {results.threads} threads; load before the run "
        f"{load}; {results.rounds} rounds; {versions}."
    )


def _tables(subject: Measurements) -> Iterator[str]:
    columns: _Columns
    if subject.latency:
        columns = {f"{shape}, ms": (measured, _milliseconds) for shape, measured in subject.latency.items()}
        yield _table("one batch, texts x tokens", columns)
    if subject.bulk:
        columns = {f"{name}, lines/s": (measured, _per_second) for name, measured in subject.bulk.items()}
        yield _table("many texts", columns, subject.accuracy, subject.accuracy_on)
    if subject.other:
        columns = {f"{name}, {_UNITS[name][0]}": (each, _UNITS[name][1]) for name, each in subject.other.items()}
        yield _table("start and size", columns)


def _table(
    title: str,
    columns: _Columns,
    accuracy: Mapping[str, float] | None = None,
    accuracy_on: str = "",
) -> str:
    names = list(dict.fromkeys(name for measured, _ in columns.values() for name in measured.figures))
    rows = [[name, *(_cell(name, *column) for column in columns.values())] for name in names]
    heads = [title, *columns]
    if accuracy:
        heads.append(f"accuracy, {accuracy_on}")
        for row in rows:
            row.append(f"{accuracy[row[0]]:.1%}" if row[0] in accuracy else "")
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(name: str, measured: Measured, figure: Callable[[float], str]) -> str:
    if name not in measured.figures:
        return ""
    if name in measured.ratios:
        return figure(measured.figures[name])
    return _spread(measured.ratios[best(measured)][name])


def best(measured: Measured) -> str:
    """Return the best of ours."""
    return min(measured.ratios, key=measured.figures.__getitem__)


def _spread(spread: Spread | Sequence[float]) -> str:
    low, median, high = (_short(each) for each in spread)
    return median if low == high else f"{median} ({low}-{high})"


def _short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"  # noqa: PLR2004 - three digits


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g}" if seconds < 1 else f"{1000 * seconds:,.0f}"


def _per_second(seconds: float) -> str:
    return f"{1 / seconds:,.0f}"


def _remarks(subject: Measurements) -> Iterator[str]:
    remarks = [f"`auto` chooses {subject.auto}."] if subject.auto else []
    remarks += [f"Left out: {'; '.join(subject.left_out)}."] if subject.left_out else []
    if remarks:
        yield wrapped(" ".join(remarks))


def wrapped(text: str) -> str:
    """Return a paragraph in lines of the documentation's width."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
