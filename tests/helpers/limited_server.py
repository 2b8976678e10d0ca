"""A program that serves with limits smaller than those of the command line, so that tests reach them soon.

Its arguments are names of limits and their values, as `seconds=2`; `files` is how many files it may open.
"""

from __future__ import annotations

import sys
from typing import Any

from sentiment_edge import load
from sentiment_edge.server import hosts, process
from sentiment_edge.server.app import Server
from sentiment_edge.server.limits import Limits
from sentiment_edge.server.metrics import Metrics
from sentiment_edge.server.records import Records

LIMITED = ("-P", __file__)
"""The arguments of Python's that run this program."""


def main(*arguments: str) -> None:
    """Serve the bundle that comes with this project."""
    values = {name: float(value) for name, _, value in (argument.partition("=") for argument in arguments)}
    files = int(values.pop("files", 0))
    chosen: dict[str, Any] = {name: value if name.endswith("seconds") else int(value) for name, value in values.items()}
    limits = Limits(**chosen)
    classifier, records = load(), Records(Metrics(), None)
    with process.listen("127.0.0.1", 0) as listening:
        access = hosts.access([], [], "").at(listening.getsockname())
        if files:
            _allow(files)
        process.serve(lambda: Server(classifier, limits, records, access), records, listening, announce=_say)


def _allow(files: int) -> None:
    import resource  # noqa: PLC0415 - not on Windows

    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def _say(url: str) -> None:
    sys.stderr.write(f"{url}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
