"""Keep results in the repository, and show them in the documentation: `python -m suite.report.keep [RESULTS ...]`.

Without results, the documentation is written again from those that are kept. With `--check`, nothing is written: the exit
status is 1 where the documentation is not that of the kept results.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from suite.report.picture import draw, drawable
from suite.report.results import read_results, write_results
from suite.report.table import LEGEND, render, wrapped

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "benchmarks/results"
PAGE = ROOT / "docs/performance.md"
PICTURES = ROOT / "docs/images"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
"""Marks around what is written into the page."""


def main() -> int:
    """Keep and write, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", type=Path, help="files that the suite wrote")
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    if arguments.check:
        current = PAGE.read_text(encoding="utf-8")
        if current != page_with_tables(current):
            print(f"{PAGE.relative_to(ROOT)} is not that of benchmarks/results: run `make bench-docs`", file=sys.stderr)
            return 1
        return 0
    for path in arguments.results:
        write_results(read_results(path), KEPT / path.name)
    for path in sorted(KEPT.glob("*.json")):
        results = read_results(path)
        if drawable(results):
            draw(results, picture_of(path))
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return 0


def picture_of(path: Path) -> Path:
    """Return the path of the picture of a results file."""
    return PICTURES / f"bench-{path.stem}.png"


def page_with_tables(page: str) -> str:
    """Return the page with the tables of all kept results between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = [wrapped(LEGEND)]
    for path in sorted(KEPT.glob("*.json")):
        results = read_results(path)
        parts.append(render(results))
        if drawable(results):
            picture = picture_of(path)
            parts.append(f"![{results.kind}: ours beside other ways to run the model]({picture.relative_to(PAGE.parent)})")
    return before + BEGIN + "\n" + "\n\n".join(parts) + "\n" + END + after


if __name__ == "__main__":
    sys.exit(main())
