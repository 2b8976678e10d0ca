"""A connection from its beginning to its end: its times, and answers that arrive before it closes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sentiment_edge.server.transport import refusals
from sentiment_edge.server.transport.listening import unread_bytes
from sentiment_edge.server.transport.refusals import Refusal

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from uvicorn import Config
    from uvicorn.server import ServerState

    from sentiment_edge.server.transport.connections import Connections

_LINGERING = 3.0
"""Seconds in which a client may read its last answer and close the connection; until then, what it sends is dropped."""
_GRACE = 1.0
"""Seconds in which a stopping server still takes a request on a connection that is open already."""
_MARGIN = 5.0
"""Seconds beyond a request's own after which it is given up."""


class Flow(FlowControl):
    """Reads nothing while requests that have been read wait for their turn."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self.full = False

    def resume_reading(self) -> None:
        """Read on, unless something waits."""
        if not self.full:
            super().resume_reading()


class _Answering:
    """The transport as requests see it: closing it leaves the client the time to read its answer."""

    def __init__(self, write: Callable[[bytes], None], close: Callable[[], None], is_closing: Callable[[], bool]) -> None:
        self.write = write
        self.close = close
        self.is_closing = is_closing


class Lifetime(HttpToolsProtocol):
    """One connection, without what it parses.

    Args:
        config: uvicorn's settings.
        state: uvicorn's state, shared by all connections.
        application_state: what the application keeps.
        loop: the loop it runs in.
        connections: the open connections.
    """

    flow: Flow

    def __init__(
        self,
        config: Config,
        state: ServerState,
        application_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        connections: Connections,
    ) -> None:
        super().__init__(config, state, application_state, loop)
        self._open = connections
        self._limits = connections.limits
        self._raw: asyncio.Transport
        self._busy = False
        """Whether a request is being answered."""
        self._running: RequestResponseCycle | None = None
        """The request that is being answered, or was last."""
        self._begun = False
        """Whether a part of a request's head has arrived."""
        self._silent = True
        """Whether nothing has arrived yet."""
        self._promised_last = False
        """Whether the client wants the connection to end after its last request."""
        self._head: bytes | None = None
        """The head of an answer, to be sent with the first of its body."""
        self._headed: RequestResponseCycle | None = None
        """The last request whose answer's head has been written."""
        self._closing = False
        self._ended = False
        """Whether the client has ended its side."""
        self._held = bytearray()
        """What has arrived and is not parsed yet."""
        self._last_word: Refusal | None = None
        """The refusal to send after the answers that are under way."""
        self._deadline = 0.0
        self._unsent_since: float | None = None
        """Since when the client has not taken all that was sent; None if it has."""

    # The connection's beginning and end

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, in the place of another connection where there are too many."""
        super().connection_made(transport)
        self._raw = transport
        self.flow = Flow(transport)
        self.transport = _Answering(self._write, self._close, self._is_closing)  # type: ignore[assignment]
        self._deadline = self.loop.time() + self._limits.head_seconds
        if not self._open.admit(self):
            self._refuse(refusals.FULL)
        elif self._open.stopping:
            self.finish(self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and what it has asked."""
        self._closing = True
        self._open.remove(self)
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()
        self.pipeline.clear()
        self._held.clear()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Tell whether to keep the connection: a client may end its side and still wait for answers."""
        self._ended = True
        if self._closing or not self._busy:
            return False
        if self._last_word is not None:  # what is broken is forgotten already
            return True
        if self.cycle.more_body:
            return self._forget_incomplete()
        self._end_after_answers()
        return True

    def _forget_incomplete(self) -> bool:
        """Drop the last request, whose rest will not come; tell whether others are still to be answered."""
        if not self.pipeline:
            return False
        self.pipeline.popleft()
        return True

    def _close(self) -> None:
        """Send what is to be sent, end this side, and wait a while for the client to end the other."""
        if self._closing:
            return
        self._flush()
        self._closing = True
        self._rank_last()
        self._held.clear()
        self._deadline = self.loop.time() + _LINGERING
        if self._raw.is_closing():
            return
        if self._ended or self._nothing_follows():
            self._raw.close()
            return
        with suppress(OSError):  # the client has gone, which the loop does not know yet
            self._raw.write_eof()
        self._raw.resume_reading()

    def _nothing_follows(self) -> bool:
        """Tell whether the client has promised that its request is the last, and it has arrived whole."""
        return self._promised_last and not self.cycle.more_body and self._last_word is None

    def _write(self, data: bytes) -> None:
        """Send a part of an answer; its head and its body leave together."""
        running = self._running
        if self._head is None and running is not self._headed and running is not None and running.response_started:
            self._headed, self._head = running, data
        else:
            self._flush(data)

    def _flush(self, data: bytes = b"") -> None:
        head, self._head = self._head, None
        if head or data:
            self._raw.write(head + data if head else data)

    def _is_closing(self) -> bool:
        return self._closing or self._raw.is_closing()

    def _rank_last(self) -> None:
        self._open.new.pop(self, None)
        self._open.idle.pop(self, None)
        self._open.closing[self] = None

    # Times

    def check(self, now: float) -> None:
        """End the connection if the client takes too long."""
        if self._raw.get_write_buffer_size():
            if self._unsent_since is None:
                self._unsent_since = now
            elif now - self._unsent_since > self._limits.seconds:
                self.abort()
        elif self._closing and self._unsent_since is not None:
            self._unsent_since = None
            self._deadline = now + _LINGERING
        else:
            self._unsent_since = None
            if now >= self._deadline:
                self._expire()

    def _expire(self) -> None:
        if self._closing or self._busy:
            self.abort()
        elif self.has_unread():
            return  # the loop was late: what has arrived is looked at first
        elif self._begun or (self._silent and not self._open.stopping):
            self._refuse(Refusal(408, refusals.LATE.format(self._limits.head_seconds)))
        else:
            self._close()

    def has_unread(self) -> bool:
        """Tell whether something has arrived that was not looked at yet."""
        return unread_bytes(self._raw.get_extra_info("socket").fileno()) > 0

    def give_way(self) -> None:
        """Close at once; no request is under way."""
        if self._closing or self._raw.get_write_buffer_size():
            self.abort()
            return
        if self._begun:
            self._raw.write(refusals.FULL.answer())
            self._note_refusal(refusals.FULL)
        self._closing = True
        self._raw.close()

    def abort(self) -> None:
        """Close, whatever is under way."""
        self._closing = True
        self._raw.abort()

    def finish(self, now: float) -> None:
        """Answer what has been asked or is asked in the next moment, and close."""
        if self._busy:
            self._end_after_answers()
        elif not self._begun and not self._closing:
            self._deadline = min(self._deadline, now + _GRACE)

    def _end_after_answers(self) -> None:
        """Say in the last answer that the connection ends, where it is known to be the last."""
        if not self.pipeline and not self._held and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def _refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal, after the answers that are under way, and close."""
        broken = self.cycle if self._busy and not self._begun and self.cycle.more_body else None
        self._last_word = refusal
        self._held.clear()
        if self.pipeline:
            if broken is not None:
                self.pipeline.popleft()
        elif broken is not None:
            broken.disconnected = True
            broken.message_event.set()
            self._say_last_word(may_write=not broken.response_started)
        elif not self._busy:
            self._say_last_word()

    def _say_last_word(self, *, may_write: bool = True) -> None:
        if self._last_word is not None and may_write:
            self._raw.write(self._last_word.answer())
            self._note_refusal(self._last_word)
        self._close()

    def _note_refusal(self, refusal: Refusal) -> None:
        self._open.refused(refusal.status, self.client[0] if self.client else None)

    def _await_head(self) -> None:
        self._deadline = self.loop.time() + self._limits.head_seconds

    def _await_more(self) -> None:
        """Wait for the rest of a head, or for another request."""
        if self._begun:
            self._await_head()
        else:
            self._deadline = self.loop.time() + (_GRACE if self._open.stopping else self._limits.idle_seconds)

    def _await_answer(self) -> None:
        self._deadline = self.loop.time() + 2 * self._limits.seconds + _MARGIN

    def _unset_keepalive_if_required(self) -> None:
        """No timer runs: `check` looks at all connections."""
