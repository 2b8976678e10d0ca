"""The process around the application: its socket, its signals and its end."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from sentiment_edge.server.app import Server
from sentiment_edge_runtimes.errors import SentimentEdgeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from sentiment_edge.server.limits import Limits
    from sentiment_edge_runtimes.classifier import Classifier

_GRACE = 5
"""Seconds beyond a request's own after which a stopping server leaves the rest unanswered."""
_CONNECTIONS = 1000


class ListenError(SentimentEdgeError, OSError):
    """The address cannot be listened on."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ListenError: the address is taken, not this machine's, or needs more rights.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:  # UnicodeError: the host cannot be a name
        said = error.strerror if isinstance(error, OSError) else None
        reason = (said or str(error)).partition(" (")[0]  # create_server adds the address
        raise ListenError(f"cannot listen on {host:.80}, port {port}: {reason}; choose another `host` or `port`") from error


def serve(classifier: Classifier, limits: Limits, listening: socket.socket, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, then answer the requests that were accepted, and return.

    Args:
        classifier: the classifier that answers.
        limits: the limits of requests.
        listening: a socket that listens already.
        announce: called with the server's address once it answers.
    """
    server = Server(classifier, limits)
    config = uvicorn.Config(
        server.app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=int(limits.seconds) + _GRACE,
    )
    # Both signals are a normal end; uvicorn raises them again after it.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with suppress(KeyboardInterrupt):
            _Uvicorn(config, server, announce).run(sockets=[listening])
    finally:
        signal.signal(signal.SIGTERM, before)


class _Uvicorn(uvicorn.Server):
    """Announces the address once it answers, and tells the application to stop."""

    def __init__(self, config: uvicorn.Config, application: Server, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self._application = application
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            self._announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._application.batcher is not None:
            self._application.batcher.stop()
        super().handle_exit(sig, frame)
