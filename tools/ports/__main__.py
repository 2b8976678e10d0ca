"""Run bundles by the programs in examples/ in other languages, and hold them against golden outputs: `make ports`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from tools.ports.bundles import make_bundles
from tools.ports.c import C
from tools.ports.node import Node
from tools.ports.openvino_tokenizer import OpenVinoTokenizer
from tools.ports.port import Unavailable
from tools.ports.proofs import COLUMNS, problems, prove, refusals, takes
from tools.ports.web import check_page
from tools.steps import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.ports.bundles import Tried
    from tools.ports.port import Port

PORTS: tuple[type[Port], ...] = (Node, C, OpenVinoTokenizer)


def main() -> int:
    """Print a table; return 1 if a port is wrong anywhere, or none could be tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--default", type=Path, default=DEFAULT_BUNDLE, help="another bundle in the place of the package's")
    given = parser.parse_args()
    folder = REPOSITORY / ".ports"
    ready = [*_ready(folder)]
    bundles = make_bundles(folder / "bundles", given.default) if ready else []
    wrong = [*_table(ready, bundles)]
    wrong += [problem for port in ready for problem in refusals(port, bundles, folder)]
    wrong += _wrong_page(folder / "web", bundles)
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong or not ready else 0


def _ready(folder: Path) -> Iterator[Port]:
    """Set up every port that can be had, and say of the others why not."""
    for kind in PORTS:
        port = kind()
        place = folder / port.name.lower()
        place.mkdir(parents=True, exist_ok=True)
        try:
            port.set_up(place)
        except Unavailable as error:
            print(f"{port.name} is left out: {error}", file=sys.stderr)
        else:
            yield port


def _wrong_page(folder: Path, bundles: Sequence[Tried]) -> Iterator[str]:
    """Try the page, where it can be, and yield that something in it is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if bundles and not check_page(folder, bundles):
            yield "the page is wrong, as said above"
    except Unavailable as error:
        print(f"The page is left out: {error}", file=sys.stderr)


def _table(ports: Sequence[Port], bundles: Sequence[Tried]) -> Iterator[str]:
    """Print the table, and yield what is wrong in it."""
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for port in ports:
        for bundle in bundles:
            if not takes(port, bundle):
                continue
            try:
                row = prove(port, bundle)
            except subprocess.CalledProcessError as error:  # it has said why
                yield f"{port.name}, {bundle.name}: status {error.returncode}"
            else:
                print(row, flush=True)
                yield from problems(port, row)


if __name__ == "__main__":
    sys.exit(main())
