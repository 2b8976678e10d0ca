"""The process around the application: its signals, its end, and how connections reach it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from sentiment_edge.server.transport.connections import Connections
from sentiment_edge.server.transport.listening import Door, ListenError, SocketFile, address, listen, listen_uds
from sentiment_edge.server.transport.protocol import Connection
from sentiment_edge.server.transport.refusals import answering_failures
from sentiment_edge.server.workers import Workers

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from sentiment_edge.server.app import Server
    from sentiment_edge.server.records import Records

__all__ = ["ListenError", "listen", "listen_uds", "serve"]

_GRACE = 5
"""Seconds beyond a request's own after which a stopping server leaves the rest unanswered."""
_LOOK = 1.0
"""Seconds between two looks at all connections."""
_LOOK_AT_THE_END = 0.05


def serve(
    build: Callable[[], Server],
    records: Records,
    listening: socket.socket,
    announce: Callable[[str], None],
    workers: int = 1,
) -> None:
    """Serve until SIGINT or SIGTERM, then answer the requests that were accepted, and return.

    Args:
        build: makes the application, in each process that serves.
        records: what is counted, by all of them.
        listening: a socket that listens already.
        announce: called with the server's address once it answers.
        workers: how many processes serve.

    Raises:
        SentimentEdgeError: no process can serve.
    """
    file = SocketFile(listening)
    try:
        if workers == 1:
            _run(_Uvicorn(build(), records, listening, lambda: announce(address(listening)), file.remove))
        else:
            first = os.getpid()
            Workers(lambda ready: _run(_Worker(build(), records, listening, ready, first)), records, listening, workers).run(
                lambda: announce(address(listening)), file.remove
            )
    finally:
        file.remove()


def _run(server: _Uvicorn) -> None:
    # Both signals are a normal end, also before uvicorn listens to them; it raises them again after it.
    before = signal.signal(signal.SIGTERM, server.handle_exit)
    try:
        with suppress(KeyboardInterrupt):
            server.run()
    finally:
        signal.signal(signal.SIGTERM, before)


class _Uvicorn(uvicorn.Server):
    """Takes connections itself, announces once it answers, and ends without losing what it has accepted."""

    alone = True

    def __init__(
        self,
        application: Server,
        records: Records,
        listening: socket.socket,
        ready: Callable[[], object],
        stopped: Callable[[], None],
    ) -> None:
        config = uvicorn.Config(
            answering_failures(application.app),
            http=Connection,
            ws="none",
            loop="asyncio:SelectorEventLoop" if os.name == "nt" else "auto",  # the other one of Windows has no `add_reader`
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            workers=1,  # this and the next would else be what variables of the environment say
            forwarded_allow_ips="127.0.0.1,::1",
        )
        super().__init__(config)
        self._application = application
        self._records = records
        self._listening = listening
        self._ready = ready
        self._stopped = stopped
        self._connections = Connections(application.limits, records.refuse)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        """Start the application and take connections."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise SystemExit(uvicorn.config.STARTUP_FAILURE)
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._door = Door(self._listening, self._connections, self._make_connection, alone=self.alone)
        self._door.open()
        await self.on_tick(0)
        self.started = True
        self._ready()

    def _make_connection(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state, self._loop, self._connections)

    async def main_loop(self) -> None:
        """Look at all connections once a second."""
        while not await self.on_tick(0):
            self._look()
            self._door.open()
            await self._wait(_LOOK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        """Take what has connected, answer what is asked, and close."""
        self._application.stopping = self._connections.stopping = True  # also where no signal said so
        self._stopped()
        await self._door.close()
        self._connections.finish(self._loop.time())
        until = self._loop.time() + self._application.limits.seconds + _GRACE
        while self._connections.all and self._loop.time() < until:
            self._look()
            await asyncio.sleep(_LOOK_AT_THE_END)
        self._connections.abort()
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()

    def _look(self) -> None:
        self._connections.check(self._loop.time())
        self._records.metrics.set_connections(len(self._connections))

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second SIGINT ends at once."""
        if self.should_exit and sig == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)
        super().handle_exit(sig, frame)
        self._application.stopping = self._connections.stopping = True
        if self.started and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)


class _Worker(_Uvicorn):
    """One of several processes: the first looks after signals from the terminal and after the socket's file."""

    alone = False

    def __init__(
        self, application: Server, records: Records, listening: socket.socket, ready: Callable[[], object], first: int
    ) -> None:
        super().__init__(application, records, listening, ready, lambda: None)
        self._first = first

    async def on_tick(self, counter: int) -> bool:
        """Tell whether to end, also because the first process has gone."""
        return await super().on_tick(counter) or os.getppid() != self._first
