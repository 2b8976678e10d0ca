"""Limits of the server, and the refusal of a request beyond them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the server's memory and of its time for an answer."""

    body: int = 2**20
    """The most bytes of a request."""
    texts: int = 1024
    """The most texts of a request."""
    queue: int = 4096
    """The most texts that wait."""
    seconds: float = 30
    """The most seconds for a request to arrive, and again for its answer."""
    window: float = 0.003
    """Seconds to wait for requests that are likely to follow."""
    together: int = 256
    """The most texts run together, unless a single request has more."""
    head: int = 2**15
    """The most bytes of a request's line and headers."""
    head_lines: int = 100
    """The most headers of a request."""
    head_seconds: float = 10
    """The most seconds from a connection, or from a request's first byte, to the end of its headers."""
    idle_seconds: float = 75
    """The most seconds that a connection may wait for its next request."""
    connections: int = 1000
    """The most connections open at once, in each process."""


class RequestRefused(Exception):
    """A request that gets no prediction; the message gives the reason, `status` the HTTP status."""

    def __init__(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = headers or {}
        """Headers of the answer that belong to the reason."""
