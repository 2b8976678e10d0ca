"""Freeze an app in every way that the documentation names, run it, and print what came of it.

python -m tools.freeze [FREEZER]... [--folder FOLDER] [--keep]
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.freeze import cx_freeze, nuitka, openvino, pyinstaller, zips
from tools.freeze.comparison import compare
from tools.freeze.places import check_places
from tools.freeze.workshop import REPOSITORY, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tools.freeze.comparison import Check
    from tools.freeze.frozen_app import FrozenApp

_FREEZERS: dict[str, Callable[[Workshop], Iterator[FrozenApp]]] = {
    "pyinstaller": pyinstaller.build,
    "zips": zips.build,
    "openvino": openvino.build,
    "cx_freeze": cx_freeze.build,
    "nuitka": nuitka.build,
}
_ALWAYS = ("pyinstaller", "zips")
_FOLDER = REPOSITORY / ".freeze"


def _checks(workshop: Workshop, freezers: Iterable[str]) -> Iterator[Check]:
    """Build, run and compare; what can be moved is tried in other places too."""
    for name in freezers:
        for app in _FREEZERS[name](workshop):
            yield compare(app, workshop)
            if app.movable:
                yield from check_places(app, workshop)


def main() -> None:
    """Print a line for each check as it ends; status 1 if one found a problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("freezers", nargs="*", choices=[[], *_FREEZERS], metavar="FREEZER")  # [] for none
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where everything is made, a new folder")
    parser.add_argument("--keep", action="store_true", help="leave the folder as it is at the end")
    options = parser.parse_args()
    if options.folder != _FOLDER and options.folder.exists():
        parser.error(f"{options.folder} is there already; name a new folder")
    workshop = Workshop(options.folder.absolute())
    workshop.set_up()
    problems = 0
    for check in _checks(workshop, options.freezers or _ALWAYS):
        print(f"{'FAILED' if check.problem else 'ok':<8}{check.name}: {check.problem or check.outcome}", flush=True)
        problems += bool(check.problem)
    if not options.keep:
        shutil.rmtree(workshop.folder)
    sys.exit(problems > 0)


if __name__ == "__main__":
    main()
