"""Clocks around functions of the program, for benchmarks that say what takes its time."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack
from time import perf_counter, thread_time
from typing import Any
from unittest.mock import patch


class Clocks(ExitStack):
    """Seconds by stage, each without those of the stages within it, until the block ends.

    Wall time is the main thread's, CPU time that of all Python's threads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wall: Counter[str] = Counter()
        self.cpu: Counter[str] = Counter()
        self._own, self._lock = threading.local(), threading.Lock()

    def timed(self, stage: str, function: Any) -> Any:  # noqa: ANN401 - of any signature
        """Return the function, whose time is counted as that of a stage."""

        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            stack = self._own.__dict__.setdefault("stack", [[0.0, 0.0]])
            stack.append([0.0, 0.0])
            wall, cpu = perf_counter(), thread_time()
            try:
                return function(*arguments, **named)
            finally:
                wall, cpu = perf_counter() - wall, thread_time() - cpu
                within = stack.pop()
                stack[-1][0] += wall
                stack[-1][1] += cpu
                with self._lock:
                    self.wall[stage] += (wall - within[0]) * (threading.current_thread() is threading.main_thread())
                    self.cpu[stage] += cpu - within[1]

        return call

    def wrap(self, owner: Any, name: str, make: Any) -> None:  # noqa: ANN401 - a class, an object or a module
        """Put what is made of the owner's function in its place."""
        self.enter_context(patch.object(owner, name, make(getattr(owner, name))))
