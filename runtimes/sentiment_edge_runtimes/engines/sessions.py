"""The sessions of one model: a few texts share all threads, batch after batch; of many, each thread takes batches of its own.

A second thread makes one batch less than twice as fast, and the eighth hardly faster; batches on a thread each have nothing to
wait for. But each kind of session holds the model's weights, in the order that its kernels read them. So the first is opened
when it is needed, and the other when it has been missed for long enough and there is memory for it.
"""

from __future__ import annotations

from threading import RLock
from time import perf_counter
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.engines.forks import UNFORKED, kept_in_forks
from sentiment_edge_runtimes.errors import BundleError, EngineError
from sentiment_edge_runtimes.machine.memory import machine_memory
from sentiment_edge_runtimes.machine.pages import Settling, give_back_freed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Outputs, Session
    from sentiment_edge_runtimes.vocabulary import EngineName

MANY = 2
"""Texts for each thread from which on they are many."""
_MISSED = 64
"""Texts that would have liked the other kind of session, after which it is opened: it costs about as long as they gain."""
_AGAIN = 100
"""Times as many texts after which a session that could not be opened is tried again."""
_ROOM = 8
"""Times the size of the model that must be left of the memory for it."""


class _TimedSession:
    """A session whose model's memory settles when it has run for long enough."""

    def __init__(self, session: Session, settling: Settling) -> None:
        self._session, self._settling = session, settling

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        """Run one batch; see `Session`."""
        start = perf_counter()
        outputs = self._session(input_ids, attention_mask)
        self._settling.ran(perf_counter() - start)
        return outputs


class Sessions:
    """An engine that opens its sessions when they are needed; see `Engine`."""

    def __init__(
        self,
        bundle: Bundle,
        name: EngineName,
        threads: int,
        lengths: Sequence[int] | None,
        open_session: Callable[[int, int], Session],
        *,
        divisible: bool = True,
    ) -> None:
        """Open nothing yet.

        Args:
            bundle: the bundle.
            name: the engine.
            threads: the threads to use.
            lengths: the lengths that batches should be padded to; None where they must not be padded.
            open_session: opens a session, given the threads of each batch and the number of batches at once.
            divisible: a batch gains from several threads; otherwise there is one kind of session only.
        """
        self.lengths = lengths
        self._bundle, self._name = bundle, name
        self._threads = threads
        self._open_session = open_session
        self._divisible = divisible
        self._opened: dict[int, Session] = {}
        """By the number of batches at once."""
        self._missed = 0
        self._lock = RLock()

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        """Run one batch, alone; see `Engine`."""
        return self.sharing(1)[0](input_ids, attention_mask)

    def sharing(self, texts: int) -> tuple[Session, int]:
        """Return a session and the number of batches at once; see `Engine`."""
        batches = -(-texts // (self._bundle.manifest.batch or 1))
        wanted = self._threads if batches >= MANY * self._threads or not self._divisible else 1
        if (session := self._opened.get(wanted)) is not None:
            return session, wanted
        with self._lock:
            if not self._opened:
                self._open(wanted)
            elif wanted not in self._opened and self._is_worth_it(batches):
                try:
                    self._open(wanted)
                except (BundleError, EngineError, MemoryError, OSError):  # the other one still works
                    self._missed = -_AGAIN * _MISSED
            at_once = wanted if wanted in self._opened else next(iter(self._opened))
            return self._opened[at_once], at_once

    def _open(self, at_once: int) -> None:
        threads = self._threads if at_once == 1 else 1
        settling = Settling(self._bundle.size(self._name))
        with UNFORKED:
            session = kept_in_forks(self._bundle.opened(self._name, lambda: self._open_session(threads, at_once)))
        give_back_freed()  # the model's file, and what its graph was before it was optimized
        self._opened[at_once] = _TimedSession(session, settling)

    def _is_worth_it(self, texts: int) -> bool:
        """Count the texts that miss a session; once there are enough, tell whether there is memory for it, and count anew."""
        self._missed += texts
        if self._missed < _MISSED:
            return False
        self._missed = 0
        left = machine_memory().available
        return left is None or left > _ROOM * self._bundle.size(self._name)
