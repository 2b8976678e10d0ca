"""The life of a bundle's model in a process: opened when it is needed or beforehand, called by several threads, closed.

No library is imported with this module: they are when the bundle is opened, perhaps in a thread beside a window's.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import RLock, Thread, get_ident
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.engines.forks import UNFORKED, CallsUnderWay, renewed_in_forks
from sentiment_edge_runtimes.engines.loader import check_options, open_engine
from sentiment_edge_runtimes.errors import EngineError
from sentiment_edge_runtimes.machine.threads import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.tokenization import TextTokenizer
    from sentiment_edge_runtimes.vocabulary import EngineChoice, EngineName


class Calls(CallsUnderWay):
    """The calls under way. After `close` none begins, but for one that such a call makes."""

    def __init__(self, refusal: str) -> None:
        """Let calls begin.

        Args:
            refusal: the message of the error that a call meets after `close`.
        """
        super().__init__()
        self.closed = False
        self._refusal = refusal
        self._closing: set[int] = set()
        renewed_in_forks(self)

    def _admit(self, thread: int) -> None:
        if thread not in self._inside:
            self.check_open()

    def check_open(self) -> None:
        """Refuse what would begin now.

        Raises:
            EngineError: it is closed.
        """
        if self.closed:
            raise EngineError(self._refusal)

    def close(self) -> None:
        """Let no call begin, and wait for the end of those of threads that do not close it themselves."""
        with self._changed:
            self.closed = True
            self._closing.add(get_ident())
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: not self._inside.keys() - self._closing)
            finally:
                self._closing.discard(get_ident())

    def begin_anew(self) -> None:
        """Forget the other threads; see `Renewable`."""
        super().begin_anew()
        self._closing = set()


class ModelLife:
    """A bundle, its tokenizer and its engine; each is opened once, by the first thread that needs it, in each process anew."""

    def __init__(self, source: Bundle | Path, engine: EngineChoice, threads: int | None) -> None:
        """Open nothing yet.

        Args:
            source: the bundle, or its folder.
            engine: the engine that was asked for.
            threads: the CPU threads to use; None for one for each CPU.

        Raises:
            OptionError: there is no such engine, or `threads` is not a whole number of 1 or more.
        """
        check_options(engine, threads)
        self.root = source if isinstance(source, Path) else source.root
        self.threads = threads or usable_cpus()
        self.engine_shown: EngineChoice = engine
        """The engine: as it was asked for, until it has been chosen."""
        self.calls = Calls(f"the classifier of {self.root} is closed: load it again")
        self._source = source
        self._bundle: Bundle | None = None
        self._tokenizer: TextTokenizer | None = None
        self._chosen: EngineName | None = None
        self._engine: Engine | None = None
        self._over = False
        self._opening = RLock()
        renewed_in_forks(self)

    def begin_anew(self) -> None:
        """Forget the other threads, and the engine, whose own threads are gone; it is kept by `kept_in_forks`."""
        self._opening, self._engine = RLock(), None

    def __str__(self) -> str:
        """Describe it by what is known already: to choose an engine takes time and may fail."""
        shown = f"engine={self.engine_shown!r}"
        if self._bundle is not None:
            manifest = self._bundle.manifest
            shown = f"precision={manifest.precision!r}, {shown}, labels={manifest.labels!r}"
        return f"{self.root.name or str(self.root)!r}, {shown}{', closed' * self.calls.closed}"

    @property
    def bundle(self) -> Bundle:
        """The bundle, which stays known after `close`."""
        return self._bundle or self.parts()[0]

    def parts(self) -> tuple[Bundle, TextTokenizer]:
        """Return the bundle and its tokenizer.

        Raises:
            EngineError: it is closed.
            SentimentEdgeError: the bundle cannot be opened.
        """
        with self._opening:
            if self._bundle is None or self._tokenizer is None:
                self._check_not_over()
                with UNFORKED:  # a fork would copy half an import, for which the child would wait for good
                    from sentiment_edge_runtimes.running.opening import open_parts  # noqa: PLC0415 - imports libraries

                    self._bundle, self._tokenizer = open_parts(self._source, self.engine_shown, self.threads)
            return self._bundle, self._tokenizer

    def engine_name(self) -> EngineName:
        """Return the engine's name, which is chosen now if need be.

        Raises:
            EngineError: none of the bundle's engines can run it here; or it is closed.
        """
        with self._opening:
            if self._chosen is None:
                bundle = self.parts()[0]
                with UNFORKED:
                    from sentiment_edge_runtimes.engines.selection import choose  # noqa: PLC0415 - imports libraries

                self._chosen = self.engine_shown = choose(bundle, self.engine_shown, self.threads).engine
            return self._chosen

    def engine(self) -> Engine:
        """Return this process's engine.

        Raises:
            EngineError: none of the bundle's engines can run it here; or it is closed.
        """
        with self._opening:
            if self._engine is None:
                self._check_not_over()
                self._engine = open_engine(self.bundle, self.engine_name(), self.threads)
            return self._engine

    def warm_up(self, first_call: Callable[[], object], *, background: bool) -> None:
        """Open everything and make a first call; in a thread, if so asked: what fails there, the next call meets too.

        Raises:
            EngineError: it is closed.
        """
        self.calls.check_open()
        if background:
            Thread(target=self._warm_up_beside, args=(first_call,), name="sentiment-edge-warm-up", daemon=True).start()
        else:
            first_call()

    def _warm_up_beside(self, first_call: Callable[[], object]) -> None:
        with suppress(Exception):
            for open_part in (self.parts, self.engine_name, self.engine):
                open_part()  # no call yet: `close` need not wait for all of it
            first_call()

    def close(self) -> None:
        """Wait for the calls under way and let go of the engine and the tokenizer, for good."""
        self.calls.close()
        with self._opening, UNFORKED:  # to end an engine's threads is a call into its library too
            was_open = self._engine is not None
            self._over = True
            self._engine = self._tokenizer = None
            if was_open:
                from sentiment_edge_runtimes.machine.pages import give_back_freed  # noqa: PLC0415 - imports libraries

                give_back_freed()

    def _check_not_over(self) -> None:
        """Refuse to open anything once `close` is done with the calls under way, which may still need it."""
        if self._over:
            self.calls.check_open()
