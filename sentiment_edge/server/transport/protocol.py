"""HTTP/1.1 on one connection: uvicorn's, with limits of what is parsed, and with requests that wait for each other."""

from __future__ import annotations

import httptools

from sentiment_edge.server.transport import refusals
from sentiment_edge.server.transport.lifetime import Lifetime
from sentiment_edge.server.transport.refusals import Refusal

_PIECE = 2**14
"""The most bytes that are parsed at once: where requests follow each other without waiting, no more of them are taken apart."""
_FRAMING = 16
"""The most bytes around each byte of a body: a chunk of a single byte has five."""
_UPGRADING = (b"upgrade", b"http2-settings")


class _Refused(Exception):
    """A request that is refused while it is parsed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Connection(Lifetime):
    """One connection; takes what `Lifetime` takes."""

    url = b""
    _framing = 0
    """Bytes of the request that are not its body."""
    _head_size = 0
    """Bytes of its head, with what came before it; 0 until the head is whole."""
    _body = 0

    # What arrives

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived, or hold it back until what came before is answered."""
        if self._closing or self._last_word is not None:
            return
        self._silent = False
        if len(data) <= _PIECE and not self._held and not self.pipeline:
            self._feed(data)
        else:
            self._held += data
            self._feed_held()

    def _feed_held(self) -> None:
        """Parse what is held back, until a request has to wait for another."""
        while self._held and not self.pipeline and not self._closing and self._last_word is None:
            piece = bytes(self._held[:_PIECE])
            del self._held[:_PIECE]
            self._feed(piece)
        self._hold_back()

    def _hold_back(self) -> None:
        """Read on only when nothing waits."""
        self.flow.full = bool(self._held or self.pipeline)
        if self.flow.full:
            self.flow.pause_reading()

    def _feed(self, data: bytes) -> None:
        self._framing += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            self._refuse(self._reason(error, data))
        else:
            if self._framing > self._head_size + self._limits.head + _FRAMING * self._body:
                in_head = self._begun
                self._refuse(Refusal(431, refusals.LONG_HEAD.format(self._limits.head)) if in_head else refusals.LONG_FRAMING)
        if self.pipeline:
            self._hold_back()
        if self._open.stopping and self._busy and not self._closing:
            self._end_after_answers()

    def _parse(self, data: bytes) -> None:
        """Parse; a request that wishes for another protocol is parsed again without, since a server may ignore the wish."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self._framing = len(data)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        head = [self.parser.get_method() + b" " + self.url + b" HTTP/" + self.parser.get_http_version().encode()]
        for name, value in self.headers:
            if name == b"connection":
                kept = [token for token in value.split(b",") if token.strip().lower() not in _UPGRADING]
                head.append(name + b": " + b",".join(kept))
            elif name not in _UPGRADING:
                head.append(name + b": " + value)
        return b"\r\n".join([*head, b"", b""])

    def _reason(self, error: httptools.HttpParserError, data: bytes) -> Refusal:
        """Return why the parser failed at data."""
        cause = error.__context__
        if isinstance(cause, _Refused):
            return cause.refusal
        if self.url == b"*" and str(error).startswith("Pause on PRI"):
            return refusals.NO_HTTP_2
        if not self._busy and data.startswith(b"\x16\x03"):
            return refusals.NO_TLS
        return Refusal(400, refusals.NO_HTTP.format(error))

    # What the parser finds

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._begun = True
        self._body = self._head_size = 0
        if not self._busy:
            self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        if self._begun:  # not a trailer, which nobody asks for
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the application answer, now or after the requests before."""
        self._check_head()
        if self.parser.should_upgrade():
            return
        try:
            super().on_headers_complete()
        except (httptools.HttpParserError, ValueError, AttributeError):  # AttributeError: a target without a path
            raise _Refused(refusals.TARGET) from None
        self._begun = False
        self._promised_last = not self.cycle.keep_alive
        self._head_size = self._framing
        if not self._busy:
            self._busy = True
            self._running = self.cycle
            self._open.new.pop(self, None)
            self._open.idle.pop(self, None)
            self._await_answer()

    def on_body(self, body: bytes) -> None:
        """Hand on a part of the body."""
        self._framing -= len(body)
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Tell the application that the body is whole."""
        if self.parser.should_upgrade():
            return
        self._framing = 0
        super().on_message_complete()

    def _check_head(self) -> None:
        limits = self._limits
        if len(self.headers) > limits.head_lines:
            raise _Refused(Refusal(431, refusals.MANY_LINES.format(limits.head_lines)))
        if self._framing > limits.head and self._named_size() > limits.head:
            raise _Refused(Refusal(431, refusals.LONG_HEAD.format(limits.head)))
        if self.parser.get_http_version() not in {"1.1", "1.0"}:
            raise _Refused(refusals.OTHER_VERSION)
        if self.parser.get_method() == b"CONNECT":
            raise _Refused(refusals.NO_PROXY)

    def _named_size(self) -> int:
        """Return the bytes of the request's target and headers alone, where more than its head has arrived."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    # What is answered

    def on_response_complete(self) -> None:
        """Go on with the next request, if one waits."""
        self._unsent_since = None
        if self._is_closing():
            return
        self._flush()
        if self.pipeline:
            self._running, application = self.pipeline.pop()
            self._start_asgi_task(self._running, application)
            self._await_answer()
            self._feed_held()
        elif self._last_word is not None:
            self._say_last_word()
        elif self._ended or self.cycle.more_body:  # nobody needs the rest of a body
            self._close()
        else:
            self._await_request()

    def _await_request(self) -> None:
        self._busy = False
        self._await_more()
        self._open.idle[self] = None
        self._feed_held()
        self.flow.resume_reading()
