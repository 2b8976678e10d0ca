"""`sentiment-edge serve`."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_edge.cli.common.options import BundleArgument, EngineOption, check_number
from sentiment_edge.cli.common.terminal import say
from sentiment_edge_runtimes.errors import OptionError

if TYPE_CHECKING:
    import socket

_HOST, _PORT = "127.0.0.1", 8000
_MOST = 2**31 - 1


def serve(
    bundle: BundleArgument = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 0.0.0.0 for requests from other machines too.", show_default=_HOST)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one.", show_default=str(_PORT)),
    ] = None,
    uds: Annotated[
        Path | None, typer.Option(help="Listen on a Unix socket of this name, in the place of an address and a port.")
    ] = None,
    engine: EngineOption = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads of each process; the default shares the usable CPUs between them.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that answer; they share the model's weights.")] = 1,
    max_body: Annotated[int, typer.Option(min=1, max=_MOST, help="The most bytes of a request.")] = 2**20,
    max_texts: Annotated[int, typer.Option(min=1, max=_MOST, help="The most texts of a request.")] = 1024,
    max_queue: Annotated[int, typer.Option(min=1, max=_MOST, help="The most texts that wait, in each process.")] = 4096,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1, max=86400, callback=check_number, help="The most seconds for a request to arrive, and for its answer."
        ),
    ] = 30,
    window: Annotated[
        float,
        typer.Option(min=0, max=1000, callback=check_number, help="Milliseconds to wait for requests to run together."),
    ] = 3,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name that requests may be for, as in their Host header; may be repeated.")
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(help="Origin of web pages that may ask, such as https://app.example.com, or *; may be repeated."),
    ] = None,
    root_path: Annotated[
        str | None, typer.Option(help="Prefix that a proxy puts before each path, such as /sentiment.")
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log", help="Write a line of JSON to stderr for each request.")] = False,
) -> None:
    """Answer over HTTP: POST /predict {"text": "..."}, and a page to try it on."""
    from sentiment_edge.extras import needs_extra
    from sentiment_edge_runtimes.classifier import load
    from sentiment_edge_runtimes.machine.threads import usable_cpus

    with needs_extra("serve"):
        from sentiment_edge.server import hosts, process
        from sentiment_edge.server.app import Server
        from sentiment_edge.server.limits import Limits
        from sentiment_edge.server.metrics import Metrics
        from sentiment_edge.server.records import Records

    if uds is not None and (host, port) != (None, None):
        raise OptionError("uds", "it takes the place of `host` and `port`: leave them out")
    access = hosts.access(allow_host or [], cors_origin or [], root_path or "")
    classifier = load(bundle, engine=engine, threads=threads or max(1, usable_cpus() // workers))
    limits = Limits(max_body, max_texts, max_queue, timeout, window / 1000)
    records = Records(Metrics(workers), sys.stderr if access_log else None)
    name = classifier.bundle.root.name
    with _listen(host, port, uds) as listening:
        here = access.at(listening.getsockname())
        process.serve(
            lambda: Server(classifier, limits, records, here),
            records,
            listening,
            announce=lambda url: _say_if_heard(f"serving {name} on {url}"),
            workers=workers,
        )


def _say_if_heard(text: str) -> None:
    """Write a line to stderr; where its pipe is closed or its disk is full, the server goes on all the same."""
    with suppress(OSError):
        say(text)


def _listen(host: str | None, port: int | None, uds: Path | None) -> socket.socket:
    from sentiment_edge.server.process import listen, listen_uds

    if uds is not None:
        return listen_uds(str(uds))
    return listen(_HOST if host is None else host, _PORT if port is None else port)
