"""The open connections: which gives way to a new one, and the look at all of them once in a while."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge.server.limits import Limits

_SPARE = 16
"""One of so many places is for connections without a request, so that a new one can still be told that the rest are taken."""
_OTHER_FILES = 200
"""Files that a server opens beside its connections, at most."""
_ASKED = 128
"""Connections of a kind that are looked at, at most, for one that gives way."""
_FEWEST = 16
"""Connections that are allowed in any case."""


class Watched(Protocol):
    """A connection, as far as the others are concerned."""

    def check(self, now: float) -> None:
        """End it if it takes too long."""
        ...

    def has_unread(self) -> bool:
        """Tell whether something has arrived that was not looked at yet: such a connection does not wait."""
        ...

    def give_way(self) -> None:
        """Close it at once; no request of it is under way."""
        ...

    def finish(self, now: float) -> None:
        """Answer what has been asked, and close it."""
        ...

    def abort(self) -> None:
        """Close it, whatever is under way."""
        ...


Waiting = OrderedDict[Watched, None]
"""Connections in the order in which they began to wait."""


class Connections:
    """The open connections of a process; of those that wait, the first of each kind waits longest.

    Args:
        limits: the limits; fewer connections are allowed where the system allows this process fewer files.
        refused: called with the status of each refusal, and the client's address.
    """

    def __init__(self, limits: Limits, refused: Callable[[int, str | None], None]) -> None:
        self.limits = limits
        """The limits."""
        self.refused = refused
        """Called with the status of each refusal, and the client's address."""
        self.most = max(min(limits.connections, _files(limits.connections + _OTHER_FILES) - _OTHER_FILES), _FEWEST)
        """The most connections at once."""
        self.all: set[Watched] = set()
        """All of them."""
        self.closing: Waiting = OrderedDict()
        """Those that have been answered for the last time."""
        self.new: Waiting = OrderedDict()
        """Those that have not sent a whole request yet."""
        self.idle: Waiting = OrderedDict()
        """Those that may send another request."""
        self.stopping = False
        """Whether each is to be closed after what it has asked."""

    def __len__(self) -> int:
        return len(self.all)

    def admit(self, connection: Watched) -> bool:
        """Add a new connection, if need be in the place of the one that has waited longest; tell whether it may ask."""
        self.all.add(connection)
        self.new[connection] = None
        if len(self.all) > self.most:
            self.make_room(connection)
        busy = len(self.all) - len(self.closing) - len(self.new) - len(self.idle)
        return busy < max(self.most - self.most // _SPARE, 1)

    def make_room(self, keep: Watched | None = None) -> bool:
        """Close the connection that has waited longest without a request, but not `keep`; tell whether there was one."""
        for waiting in (self.closing, self.new, self.idle):
            for connection in islice(waiting, _ASKED):
                if connection is not keep and (waiting is self.closing or not connection.has_unread()):
                    connection.give_way()
                    self.remove(connection)
                    return True
        return False

    def remove(self, connection: Watched) -> None:
        """Forget a connection."""
        self.all.discard(connection)
        for waiting in (self.closing, self.new, self.idle):
            waiting.pop(connection, None)

    def check(self, now: float) -> None:
        """Look at every connection."""
        for connection in list(self.all):
            connection.check(now)

    def finish(self, now: float) -> None:
        """Let every connection end after what it has asked."""
        self.stopping = True
        for connection in list(self.all):
            connection.finish(now)

    def abort(self) -> None:
        """Close every connection."""
        for connection in list(self.all):
            connection.abort()


def _files(wanted: int) -> int:
    """Return how many files this process may open, after asking the system for as many as wanted."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:  # Windows, whose `select` takes so many
        return min(wanted, 500)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    if soft == endless or soft >= wanted:
        return wanted
    raised = wanted if hard == endless else min(wanted, hard)
    with suppress(OSError, ValueError):  # a system with a lower limit of its own
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
