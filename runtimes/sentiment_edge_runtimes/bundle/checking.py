"""Steps of a check that run beside other work, such as the import of an engine's library."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Step = Callable[[], object]


class Check:
    """Steps in order, taken by a thread of its own and, at the end, by whoever waits for them.

    So it goes on where no thread can be started. The failure that is raised is that of the first step that fails, as if the
    steps had run one after the other.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._remaining = deque(enumerate(steps))
        self._lock = Lock()
        self._failures: dict[int, BaseException] = {}
        self._given_up = False
        self._helper: Thread | None = None

    def start(self) -> None:
        """Begin on another thread, if one can be started."""
        helper = Thread(target=self._work, name="sentiment-edge-check", daemon=True)  # an interrupted program ends at once
        with suppress(RuntimeError):  # the interpreter ends, or the system has no more threads
            helper.start()
            self._helper = helper

    def finish(self) -> None:
        """Take the steps that are left, and wait for the one under way; raise the first failure."""
        try:
            self._work()
            if self._helper is not None:
                self._helper.join()
        except BaseException:  # an interrupt
            self.give_up()
            raise
        if self._failures:
            raise self._failures[min(self._failures)]

    def give_up(self) -> None:
        """Let no further step begin."""
        self._given_up = True

    def _work(self) -> None:
        while not (self._given_up or self._failures):  # all steps before one that failed have begun
            with self._lock:
                if not self._remaining:
                    return
                number, step = self._remaining.popleft()
            try:
                step()
            except BaseException as error:
                self._failures[number] = error  # raised by `finish`, in its caller's thread
                if not isinstance(error, Exception):
                    raise
