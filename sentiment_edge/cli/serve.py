"""`sentiment-edge serve`."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from sentiment_edge.cli.common.options import BundleArgument, EngineOption, ThreadsOption


def serve(
    bundle: BundleArgument = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0: from other machines too.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one.")] = 8000,
    engine: EngineOption = "auto",
    threads: ThreadsOption = None,
    max_body: Annotated[int, typer.Option(min=1, help="Bytes of a request.")] = 2**20,
    max_texts: Annotated[int, typer.Option(min=1, help="Texts of a request.")] = 1024,
    max_queue: Annotated[int, typer.Option(min=1, help="Texts that may wait.")] = 4096,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=86400, help="Seconds a request may take to arrive, or its answer.")
    ] = 30,
    window: Annotated[float, typer.Option(min=0, max=1000, help="Milliseconds to wait for requests to run together.")] = 3,
) -> None:
    """Answer over HTTP: POST /predict {"text": "..."}, and a page to try it on."""
    if math.isnan(timeout) or math.isnan(window):
        raise typer.BadParameter("--timeout and --window are numbers")
    from sentiment_edge.extras import needs_extra
    from sentiment_edge_runtimes.classifier import load

    with needs_extra("serve"):
        from sentiment_edge.server.limits import Limits
        from sentiment_edge.server.process import listen, run

    classifier = load(bundle, engine=engine, threads=threads)
    limits = Limits(max_body, max_texts, max_queue, timeout, window / 1000)
    with listen(host, port) as socket:
        run(
            classifier,
            limits,
            socket,
            announce=lambda url: typer.echo(f"serving {classifier.bundle.root.name} on {url}", err=True),
        )
