"""`sentiment-edge serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from sentiment_edge.cli.common.options import BundleArgument, EngineOption, ThreadsOption, check_number
from sentiment_edge.cli.common.terminal import say


def serve(
    bundle: BundleArgument = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for requests from other machines too.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one.")] = 8000,
    engine: EngineOption = "auto",
    threads: ThreadsOption = None,
    max_body: Annotated[int, typer.Option(min=1, help="The most bytes of a request.")] = 2**20,
    max_texts: Annotated[int, typer.Option(min=1, help="The most texts of a request.")] = 1024,
    max_queue: Annotated[int, typer.Option(min=1, help="The most texts that wait.")] = 4096,
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
) -> None:
    """Answer over HTTP: POST /predict {"text": "..."}, and a page to try it on."""
    from sentiment_edge.extras import needs_extra
    from sentiment_edge_runtimes.classifier import load

    with needs_extra("serve"):
        from sentiment_edge.server import process
        from sentiment_edge.server.limits import Limits

    classifier = load(bundle, engine=engine, threads=threads)
    limits = Limits(max_body, max_texts, max_queue, timeout, window / 1000)
    name = classifier.bundle.root.name
    with process.listen(host, port) as socket:
        process.serve(classifier, limits, socket, announce=lambda url: say(f"serving {name} on {url}"))
