"""Print each measure with its limit, and whatever breaks one; the exit status is 1 where something does."""

import sys

from tools.structure.measures import measure_all
from tools.structure.source import read_modules


def main() -> int:
    """Print the table."""
    measures = measure_all(read_modules())
    width = max(len(measure.name) for measure in measures)
    for measure in measures:
        verdict = "" if measure.kept else "  BROKEN"
        print(f"{measure.name:<{width}}  {measure.value:>5g}  at most {measure.limit:g}{verdict}")
    for measure in measures:
        if not measure.kept:
            print(f"\n{measure.name}:", *measure.offenders, sep="\n  ")
    return int(not all(measure.kept for measure in measures))


if __name__ == "__main__":
    sys.exit(main())
