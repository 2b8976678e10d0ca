"""Work on several threads that goes on where no thread can be started, such as while the interpreter ends."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


def run_all(function: Callable[[T], object], items: Iterable[T], workers: int) -> None:
    """Call the function with each item on up to that many threads, of which this one is the first.

    The standard library's pools refuse all work once the main thread has ended; here this thread does alone what no other
    can be started for. An exception ends the work after the calls under way; the first is raised, or an interrupt.
    """
    remaining, lock = iter(items), Lock()
    failures: list[BaseException] = []

    def work() -> None:
        while not failures:
            with lock:
                try:
                    item = next(remaining)
                except StopIteration:
                    return
            try:
                function(item)
            except BaseException as error:  # noqa: BLE001 - raised below, in the caller's thread
                failures.append(error)

    helpers: list[Thread] = []
    try:
        with suppress(RuntimeError):  # the interpreter ends, or the system has no more threads
            for _ in range(workers - 1):
                helper = Thread(target=work)
                helper.start()
                helpers.append(helper)
        work()
        for helper in helpers:
            helper.join()
    except BaseException as error:  # an interrupt between two calls
        failures.append(error)
        raise
    if failures:  # an interrupt before all others: whoever handles an error would go on
        raise next((each for each in failures if not isinstance(each, Exception)), failures[0])
