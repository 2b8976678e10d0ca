"""Engines in processes that fork, and in those that end.

A fork copies an engine's memory but none of its threads. So the copy must never be freed, which would wait for them; and no
call may be under way, or what its library shares within the process, such as its pool of threads, is copied half done.

A daemon thread that comes back from a library's code once the interpreter ends is ended in the middle of that code, which takes
the process down with it. So the end waits for the calls under way, and no daemon thread begins another.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
from collections import Counter
from pathlib import Path
from threading import Condition, current_thread, get_ident
from time import monotonic, sleep
from typing import Protocol, TypeVar
from weakref import WeakSet

E = TypeVar("E", bound=object)

_LONGEST = 60.0
"""Seconds that a fork, or the end, waits for calls at most, and they for a fork: whatever is stuck shall not stop the other."""
_SETTLING = 0.1
"""Seconds that a fork waits at most for an engine's threads to fall asleep."""
_RECENT = 1.0
"""Seconds after a call in which an engine's threads may still be awake."""
_THREADS = Path("/proc/self/task")

_OPEN: WeakSet[object] = WeakSet()


class Renewable(Protocol):
    """An object with locks that other threads hold, or with threads of its own."""

    def begin_anew(self) -> None:
        """Forget the other threads, in a process that has none of them; they may have held the locks."""
        ...


_RENEWED: WeakSet[Renewable] = WeakSet()


class CallsUnderWay:
    """The calls that are under way, of each thread; to be held during each."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._inside = Counter[int]()
        """Calls by thread, one within the other."""

    def __enter__(self) -> None:
        thread = get_ident()
        with self._changed:
            self._admit(thread)
            self._inside[thread] += 1

    def __exit__(self, *_: object) -> None:
        thread = get_ident()
        with self._changed:
            self._inside[thread] -= 1
            if not self._inside[thread]:
                del self._inside[thread]
                self._changed.notify_all()

    def _admit(self, thread: int) -> None:
        """Let a thread's call begin, perhaps within another, or wait, or raise."""

    def begin_anew(self) -> None:
        """Forget the other threads; see `Renewable`."""
        inside = self._inside[get_ident()]
        self._changed = Condition()
        self._inside = Counter({get_ident(): inside} if inside else {})


class _LibraryCalls(CallsUnderWay):
    """The calls into libraries; no fork happens meanwhile, nor does the process end."""

    def __init__(self) -> None:
        super().__init__()
        self._forking = False
        self.ending = False
        """Whether the process ends."""
        self.last = -_RECENT
        """When the last one ended."""

    def __exit__(self, *_: object) -> None:
        self.last = monotonic()
        super().__exit__()

    def _admit(self, thread: int) -> None:
        if self._forking and thread not in self._inside:
            self._changed.wait_for(lambda: not self._forking, _LONGEST)
        if self.ending and current_thread().daemon:
            raise SystemExit  # which ends the thread without a word

    def suspend(self) -> None:
        """Let no call begin, and wait for the end of those of other threads."""
        with self._changed:
            self._changed.wait_for(lambda: not self._forking, _LONGEST)
            self._forking = True
            self._changed.wait_for(lambda: not self._inside.keys() - {get_ident()}, _LONGEST)

    def resume(self) -> None:
        """Let calls begin again."""
        with self._changed:
            self._forking = False
            self._changed.notify_all()

    def end(self) -> None:
        """Let no call of a daemon thread begin, and wait for the end of those of other threads."""
        with self._changed:
            self.ending = True
            self._changed.wait_for(lambda: not self._inside.keys() - {get_ident()}, _LONGEST)

    def begin_anew(self) -> None:
        """Forget the other threads; see `Renewable`."""
        super().begin_anew()
        self._forking = False


UNFORKED = _LibraryCalls()
"""To be held during each call into an engine's library, and while libraries are imported."""
atexit.register(UNFORKED.end)


def kept_in_forks(engine: E) -> E:
    """Return the engine, which forked processes will keep for good."""
    _OPEN.add(engine)
    return engine


def renewed_in_forks(renewable: Renewable) -> None:
    """Let an object begin anew in each forked process."""
    _RENEWED.add(renewable)


def _before() -> None:
    UNFORKED.suspend()
    end = monotonic() + _SETTLING
    while monotonic() < min(end, UNFORKED.last + _RECENT) and _engines_awake():
        sleep(0.001)


def _engines_awake() -> bool:
    """Tell whether a thread that is none of Python's is running, or may be: they go on for a little after a call."""
    own = {str(thread.native_id) for thread in threading.enumerate()}
    try:
        others = [thread for thread in _THREADS.iterdir() if thread.name not in own]
        states = [(thread / "stat").read_text("utf-8", "replace").rpartition(") ")[2][:1] for thread in others]
    except OSError:  # a system that does not tell; or a thread that has just ended
        return True
    return "R" in states


def _in_child() -> None:
    """Give each of the parent's engines a reference for good: the interpreter's end would return any that a module holds."""
    for engine in _OPEN:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))
    _OPEN.clear()
    UNFORKED.begin_anew()
    for renewable in _RENEWED:
        renewable.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=UNFORKED.resume, after_in_child=_in_child)
