"""Check what is to be released, and build it twice."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tools.release.builds import build_alike
from tools.release.changelog import read_changelog
from tools.release.licences import PAGE, updated_page
from tools.release.versions import check_tag, project_version
from tools.steps import REPOSITORY


def main() -> int:
    """Do what was asked; the exit status is 1 where something is wrong."""
    options = _parser().parse_args()
    try:
        if options.command == "licences":
            PAGE.write_text(updated_page(options.path), "utf-8")
            return 0
        check_texts(options.tag)
        if options.command == "check":
            shown(build_alike(REPOSITORY / "dist"))
    except (ValueError, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def check_texts(tag: str | None) -> None:
    """Check the changelog and, if there is a tag, that it is the version's; raise ValueError where they are wrong."""
    sections = read_changelog((REPOSITORY / "CHANGELOG.md").read_text("utf-8"))
    version = project_version()
    if tag is not None:
        check_tag(tag, version, sections)
    print(f"version {version}{f', tag {tag}' if tag else ''}; {len(sections) - 1} releases in the changelog")


def shown(files: list[Path]) -> None:
    """Run other people's checks of the files and of the workflows; raise CalledProcessError where one finds something."""
    programs = Path(sys.executable).parent
    for command in (
        ["twine", "check", "--strict", *files],
        ["check-wheel-contents", files[-1]],
        ["zizmor", "--offline", "--pedantic", "--strict-collection", "."],
    ):
        subprocess.run([programs / str(command[0]), *command[1:]], cwd=REPOSITORY, check=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="all checks; the sdist and the wheel that passed are in dist")
    check.add_argument("--tag", help="the tag to be set, as v1.2.3")
    tag = commands.add_parser("check-tag", help="the tag against the version and the changelog; nothing is built")
    tag.add_argument("tag")
    licences = commands.add_parser("licences", help=f"write the table of {PAGE.relative_to(REPOSITORY)} anew")
    licences.add_argument("--path", action="append", default=[], help="another environment's site-packages, such as Spark's")
    return parser


if __name__ == "__main__":
    sys.exit(main())
