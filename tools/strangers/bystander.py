"""A client that does nothing wrong, while others do: it asks again and again, over new connections and one that it keeps."""

from __future__ import annotations

import json
import time
from collections import Counter
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tools.strangers.wire import Address

_PAUSE = 0.05
_BODY = json.dumps({"text": "I loved it."}).encode()
_JSON = {"Content-Type": "application/json"}


class Bystander:
    """Asks in a thread for as long as the block runs, and once more after it."""

    def __init__(self, address: Address, patience: float) -> None:
        self._address, self._patience = address, patience
        self._ended = Event()
        self._thread = Thread(target=self._ask_on, daemon=True)
        self._kept = HTTPConnection(*address, timeout=patience)
        self.answers: Counter[str] = Counter()
        """Answers by status; `none` are those that did not come."""
        self.longest = 0.0
        """Seconds that the slowest took."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._kept.close()

    def __str__(self) -> str:
        counts = ", ".join(f"{count} x {status}" for status, count in self.answers.most_common())
        return f"{counts}; slowest {self.longest:.2f} s"

    def _ask_on(self) -> None:
        last = False
        while not last:
            last = self._ended.wait(_PAUSE)
            self._note(HTTPConnection(*self._address, timeout=self._patience), keep=False)
            self._note(self._kept, keep=True)

    def _note(self, connection: HTTPConnection, *, keep: bool) -> None:
        start = time.monotonic()
        self.answers[self._status(connection, keep=keep)] += 1
        self.longest = max(self.longest, time.monotonic() - start)

    def _status(self, connection: HTTPConnection, *, keep: bool) -> str:
        was_open = connection.sock is not None
        try:
            connection.request("POST", "/predict", _BODY, _JSON)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            if was_open and not isinstance(error, TimeoutError):
                return self._status(connection, keep=keep)  # the server may close a connection that it was left
            return "none"
        if not keep:
            connection.close()
        right = response.status != HTTPStatus.OK or answer["sentiment"] == "positive"
        return str(response.status) if right else "wrong"
