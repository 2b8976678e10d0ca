"""Show how the public surface differs from what is stored, or store it."""

import argparse
import sys

from tools.public_surface.surface import FILES, FOLDER, changes, collect


def main() -> int:
    """Do so; the exit status is 1 where something differs and is not stored."""
    parser = argparse.ArgumentParser(prog="python -m tools.public_surface", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="FILE", help=f"which of {', '.join(FILES)}; all by default")
    parser.add_argument("--write", action="store_true", help="store what is public now")
    arguments = parser.parse_args()
    names = arguments.names or list(FILES)
    if unknown := set(names) - FILES.keys():
        parser.error(f"no such file: {', '.join(sorted(unknown))}")
    if arguments.write:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in names:
            (FOLDER / name).write_text(collect(name), "utf-8")
        return 0
    found = [text for text in map(changes, names) if text]
    print(*found, sep="\n\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
