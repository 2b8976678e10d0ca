"""Say what became slower, larger or hungrier by more than its spread: `python -m suite.report.compare NEW OLD`.

NEW and OLD are files that the suite wrote, or folders of them: then those of the same names are compared.

The figures of two runs are never compared themselves, but how many times ours the others' are. A measure of ours became worse
if that ratio's quartiles lie below the earlier ones, by 3 % at least, against more than half of the others: where it fell
against one alone, that one became faster. The exit status is 1 where something became worse.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from suite.report.results import read_results

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from suite.report.results import Results, Spread

LEAST = 0.97
"""A ratio that kept more than this share is taken to have kept all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what became worse."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("new", type=Path, help="results of the run in question")
    parser.add_argument("old", type=Path, help="results that were kept")
    parsed = parser.parse_args(arguments)
    try:
        pairs = [(read_results(new), read_results(old)) for new, old in _pairs(parsed.new, parsed.old)]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        parser.exit(2, f"cannot read results: {error}; `make bench` makes new ones, `git checkout` brings kept ones back\n")
    if not pairs:
        parser.exit(2, f"{parsed.new} and {parsed.old} have no files of one name: `make bench` makes new ones\n")
    if any(new.kind != old.kind for new, old in pairs):
        parser.exit(2, "the runs are of CPUs that multiply int8 in different ways: compare runs of the same kind\n")
    return max([_compare(new, old) for new, old in pairs])


def _pairs(new: Path, old: Path) -> Iterator[tuple[Path, Path]]:
    if not new.is_dir():
        yield new, old / new.name if old.is_dir() else old
        return
    for path in sorted(new.glob("*.json")):
        if (old / path.name).is_file():
            yield path, old / path.name


def _compare(new: Results, old: Results) -> int:
    worse = [*find_worse(new, old)]
    print(*worse, sep="\n", end="\n" if worse else "")
    print(f"{len(worse)} of {sum(1 for _ in _common(new, old))} measures became worse since {old.date}")
    return int(bool(worse))


def find_worse(new: Results, old: Results) -> Iterator[str]:
    """Yield a line for each measure that became worse."""
    for name, after, before in _common(new, old):
        peers = [peer for peer in after if peer in before]
        fell = [peer for peer in peers if _fell(after[peer], before[peer])]
        if 2 * len(fell) > len(peers):
            kept = statistics.median(after[peer][1] / before[peer][1] for peer in peers)
            against = f"worse against {len(fell)} of {len(peers)} others"
            yield f"{name}: {kept:.2f} of what it was; {against}, such as {_described(fell[0], after, before)}"


def _common(new: Results, old: Results) -> Iterator[tuple[str, Mapping[str, Spread], Mapping[str, Spread]]]:
    for key, subject in new.subjects.items():
        earlier = old.subjects[key].all() if key in old.subjects else {}
        for measure, measured in subject.all().items():
            for mine, after in measured.ratios.items():
                before = earlier[measure].ratios.get(mine, {}) if measure in earlier else {}
                if before.keys() & after.keys():
                    yield f"{key}, {measure}, {mine}", after, before


def _fell(after: Spread, before: Spread) -> bool:
    return after[2] < before[0] and after[1] < LEAST * before[1]


def _described(peer: str, after: Mapping[str, Spread], before: Mapping[str, Spread]) -> str:
    return f"{peer}: {_spread(after[peer])} times ours, {_spread(before[peer])} before"


def _spread(spread: Spread) -> str:
    low, median, high = spread
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    sys.exit(main())
