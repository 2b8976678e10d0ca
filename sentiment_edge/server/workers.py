"""Several processes that take connections from one socket: the first starts them again where they die, and ends them."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from sentiment_edge.server.transport.listening import refuse_newcomers
from sentiment_edge_runtimes.errors import SentimentEdgeError, first_line

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from sentiment_edge.server.records import Records

_SIGNALS = {signal.SIGINT, signal.SIGTERM}
_BRIEF = 5.0
"""Seconds: a process that ends sooner is started again after a moment only."""
_MOMENT = 1.0
_READY = b"\n"
_LOGGER = logging.getLogger(__name__)


class Workers:
    """The processes.

    Args:
        serve: serves in a new process until it is told to end; calls what it is given once it answers.
        records: what all of them count.
        listening: the socket.
        count: how many processes.
    """

    def __init__(
        self, serve: Callable[[Callable[[], object]], None], records: Records, listening: socket.socket, count: int
    ) -> None:
        if not hasattr(os, "fork"):
            raise SentimentEdgeError("this system cannot run several processes on one socket: leave out `workers`")
        self._serve = serve
        self._records = records
        self._listening = listening
        self._count = count
        self._started: dict[int, tuple[int, float]] = {}
        """By process: its number among them, and when it started."""
        self._stopping = False

    def run(self, announce: Callable[[], None], stopped: Callable[[], None]) -> None:
        """Run them until SIGINT or SIGTERM.

        Args:
            announce: called once all of them answer.
            stopped: called when they are told to end.

        Raises:
            SentimentEdgeError: one of them cannot serve.
        """
        self._stopped = stopped
        before = {number: signal.signal(number, self._stop) for number in _SIGNALS}
        try:
            failure = self._start_all()
            if failure is None and not self._stopping:
                announce()
            elif failure is not None:
                self._end()
            self._look_after_them()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if failure is not None:
            raise SentimentEdgeError(failure)

    def _start_all(self) -> str | None:
        """Start all and wait until they answer; return why one does not."""
        channels = [self._start(number) for number in range(self._count)]
        said = [_read(channel) for channel in channels]
        failed = [words for words in said if words != _READY and not self._stopping]
        return None if not failed else failed[0].decode() or "a process of the server ended before it answered"

    def _start(self, number: int) -> int:
        """Start a process; return what tells that it answers, or why not."""
        reading, writing = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            process = os.fork()
            if process:
                self._started[process] = number, time.monotonic()
            else:
                self._be(number, writing)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(writing)
        if self._stopping:  # it came too late for the signal
            self._signal_all(signal.SIGTERM)
        return reading

    def _be(self, number: int, writing: int) -> None:
        """Serve in this process, a new one, and end it."""
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the first process passes it on
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            self._records.metrics.worker = number
            if not self._stopping:  # the signal came before this process
                self._serve(partial(_write, writing, _READY))
            status = 0
        except SentimentEdgeError as error:
            if not _write(writing, first_line(error).encode()):
                _LOGGER.warning("a worker cannot start: %s", first_line(error))
        except BaseException:  # noqa: BLE001 - a process of its own: nothing else may go on in it
            sys.excepthook(*sys.exc_info())
        finally:
            with suppress(Exception):  # there may be no stderr, or nobody who reads it
                sys.stderr.flush()
            os._exit(status)

    def _look_after_them(self) -> None:
        """Start each again that dies, until they are told to end; then wait for all."""
        while self._started:
            process, status = os.waitpid(-1, 0)
            number, began = self._started.pop(process, (-1, 0.0))
            if number < 0 or self._stopping:
                continue
            _LOGGER.warning("a worker has ended (status %s); another is started", os.waitstatus_to_exitcode(status))
            if time.monotonic() - began < _BRIEF:
                time.sleep(_MOMENT)
            if not self._stopping:
                os.close(self._start(number))

    def _stop(self, number: int, _: FrameType | None) -> None:
        if self._stopping and number == signal.SIGINT:
            self._signal_all(signal.SIGKILL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)
        elif not self._stopping:
            self._end()

    def _end(self) -> None:
        self._stopping = True
        self._stopped()
        refuse_newcomers(self._listening)
        self._signal_all(signal.SIGTERM)
        self._listening.close()

    def _signal_all(self, number: int) -> None:
        for process in list(self._started):
            with suppress(ProcessLookupError):  # it has ended by itself
                os.kill(process, number)


def _read(channel: int) -> bytes:
    with os.fdopen(channel, "rb") as lines:
        return lines.read()


def _write(channel: int, words: bytes) -> bool:
    """Write and close; tell whether somebody reads: nobody waits for a process that was started again."""
    try:
        os.write(channel, words)
    except BrokenPipeError:
        return False
    finally:
        os.close(channel)
    return True
