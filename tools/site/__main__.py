"""Build the documentation as a site, in `.site/html`, and look at it.

    python -m tools.site [--pictures FOLDER]

It needs what `tools/site/requirements.txt` lists. A missing page, anchor or picture, and anything that a page would
load from elsewhere, end it with status 1. Where Chromium is installed, it opens every page as well.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.browser import find_chromium
from tools.site.links import find_faults
from tools.site.look import look
from tools.site.pages import copy_pages
from tools.steps import REPOSITORY

_FOLDER = REPOSITORY / ".site"
_ASSETS = Path(__file__).with_name("assets")
_COLOURS = re.compile("\x1b\\[[0-9;]*m")


def main() -> None:
    """Copy the pages, build them, look at every link and every page of what was built."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each page, as on a phone and on a desktop")
    pictures = parser.parse_args().pictures
    html = _build()
    faults = find_faults(html)
    if find_chromium():
        faults += look(html, pictures)
    else:
        print("Chromium is not installed: nobody looked at the pages")
    if faults:
        sys.exit("\n".join([*faults, f"{len(faults)} faults in {html.relative_to(REPOSITORY)}"]))
    print(f"{html.relative_to(REPOSITORY)}: {len([*html.rglob('*.html')])} pages without a fault")


def _build() -> Path:
    """Return the folder of the built pages."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    copy_pages(REPOSITORY, _FOLDER / "pages")
    shutil.copytree(_ASSETS, _FOLDER / "pages" / "assets")
    build = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(build, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{_COLOURS.sub('', done.stdout)}\nthe site could not be built")
    return _FOLDER / "html"


if __name__ == "__main__":
    main()
