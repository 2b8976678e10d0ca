"""How much the server takes on, and how a request is refused that asks for more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the server's memory and its answers' time."""

    body: int = 2**20
    """Bytes of a request."""
    texts: int = 1024
    """Texts of a request."""
    queue: int = 4096
    """Texts that wait."""
    seconds: float = 30
    """That a request may take to arrive, and again to be answered."""
    window: float = 0.003
    """Seconds to wait for requests that are likely to follow."""
    together: int = 256
    """Texts run in one go, unless one request has more."""


class Refused(Exception):
    """A request that gets no prediction; the message says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
