"""Put the server before strangers: hostile clients first, then ordinary ones, a browser, Prometheus, and restarts.

python -m tools.strangers [attacks] [clients] [description] [page] [restarts]
"""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.strangers.browser import look
from tools.strangers.described import try_description
from tools.strangers.hostile_client import ATTACKS, attack_all
from tools.strangers.ordinary_clients import ask_all
from tools.strangers.restarts import restart_often

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS: dict[str, Callable[[argparse.Namespace], bool]] = {
    "attacks": lambda given: attack_all(
        [attack for attack in ATTACKS if given.attack in attack.name], given.checkout, given.workers
    ),
    "clients": lambda given: ask_all(given.workers),
    "description": lambda _: try_description(),
    "page": lambda given: look(given.pictures),
    "restarts": lambda given: restart_often(given.requests, given.stops, given.workers, given.kills),
}


def main() -> int:
    """Run the parts; return 1 if one finds anything wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=f"{', '.join(PARTS)}; by default all")
    parser.add_argument("--attack", default="", metavar="WORDS", help="only attacks whose name has these words")
    parser.add_argument("--checkout", type=Path, help="attack the server of another checkout, without an access log")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep pictures of the page")
    parser.add_argument("--requests", type=int, default=100_000, help="of the restarts")
    parser.add_argument("--stops", type=int, default=20, help="SIGTERMs between them")
    parser.add_argument("--kills", type=int, default=0, help="SIGKILLs of a worker between them; with --workers")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, 2 * (resource.getrlimit(resource.RLIMIT_NOFILE)[1],))
    good = [PARTS[part](given) for part in given.parts or PARTS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
