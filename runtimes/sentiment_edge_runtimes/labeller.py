"""The label of the latest text, such as one that is being typed: asked for in any thread, given in a thread of its own.

Nothing heavy is imported with this module: a window that has a labeller make its classifier imports the rest in that thread.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.engines.forks import UNFORKED, renewed_in_forks
from sentiment_edge_runtimes.errors import EngineError, InputError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, Self

    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.prediction import Prediction


class Labeller:
    """Labels the latest text that it was given; one that waits while a newer one comes is dropped without an answer.

    It warms its classifier up at once. What its callbacks raise goes to `threading.excepthook`, and it goes on. One that is
    never closed lives as long as the program.
    """

    def __init__(
        self,
        classifier: Classifier | str | os.PathLike[str] | None,
        on_label: Callable[[str, Prediction], object],
        *,
        on_error: Callable[[str, Exception], object] | None = None,
    ) -> None:
        """Begin to load, in the labeller's thread.

        Args:
            classifier: a classifier; or a bundle, None for the default one, which it loads, and closes in the end.
            on_label: called with a text and its prediction, in the labeller's thread.
            on_error: called there with a text that could not be answered, and the error; by default that goes to
                `threading.excepthook`. A bundle that cannot be loaded is tried again with each text.

        Raises:
            OptionError: a callback cannot be called, or the classifier is neither one nor a path.
        """
        for name, callback in (("on_label", on_label), ("on_error", on_label if on_error is None else on_error)):
            if not callable(callback):
                raise OptionError(name, f"{callback!r:.40} is not a function")
        if not (isinstance(classifier, str | os.PathLike | None) or hasattr(classifier, "warm_up")):
            raise OptionError("classifier", f"{classifier!r:.40} is neither a classifier nor the path of a bundle's folder")
        self._bundle = classifier if isinstance(classifier, str | os.PathLike | None) else None
        self._classifier = None if isinstance(classifier, str | os.PathLike | None) else classifier
        self._loads = self._classifier is None
        self._on_label, self._on_error = on_label, on_error
        self._changed = threading.Condition()
        self._waiting: str | None = None
        self._begun = self._closed = False
        renewed_in_forks(self)
        self._begin()

    def __enter__(self) -> Self:
        """Return itself, to be closed at the block's end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it; see `close`."""
        self.close()

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied: its thread would stay behind."""
        raise EngineError("a Labeller cannot be copied or sent to another process: make one there")

    def label(self, text: str) -> None:
        """Ask for the label of a text and return at once; a text that still waits is dropped.

        Raises:
            InputError: it is not a string.
            EngineError: the labeller is closed.
        """
        if not isinstance(text, str):
            raise InputError(f"label() takes one text, a string, not {type(text).__name__}: {text!r:.60}")
        with self._changed:
            if self._closed:
                raise EngineError("this labeller is closed: make a new one")
            self._waiting = text
            self._changed.notify()
        self._begin()

    def close(self) -> None:
        """End it and return at once: no callback begins any more, and a text that waits is dropped. Closing again does nothing.

        A callback that has begun is not waited for, since it may wait for the thread that closes. A classifier that the
        labeller has loaded is closed as soon as the thread is done with it.
        """
        with self._changed:
            self._closed = True
            self._changed.notify()

    def begin_anew(self) -> None:
        """Forget the thread, in a forked process that has none; see `Renewable`."""
        self._changed, self._waiting, self._begun = threading.Condition(), None, False

    def _begin(self) -> None:
        with self._changed:
            if not self._begun:
                threading.Thread(target=self._run, name="sentiment-edge-labeller", daemon=True).start()
            self._begun = True

    def _run(self) -> None:
        with suppress(Exception):  # the first text meets it too
            self._ready().warm_up()
        while (text := self._next()) is not None:
            self._answer(text)
        if self._loads and self._classifier is not None:
            self._classifier.close()

    def _ready(self) -> Classifier:
        """Return the classifier, which is loaded now if need be."""
        if self._classifier is None:
            with UNFORKED:
                from sentiment_edge_runtimes.classifier import load  # noqa: PLC0415 - in this thread
            self._classifier = load(self._bundle)
        return self._classifier

    def _next(self) -> str | None:
        """Wait for a text and return it; None once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting is not None)
            text, self._waiting = self._waiting, None
            return None if self._closed else text

    def _answer(self, text: str) -> None:
        try:
            prediction = self._ready()(text)
        except Exception as error:  # noqa: BLE001 - said by the callback
            self._call(self._on_error or _raise, text, error)
        else:
            self._call(self._on_label, text, prediction)

    def _call(self, callback: Callable[..., object], *arguments: object) -> None:
        """Call back, unless nobody waits for it any more; what the callback raises is said, and ends nothing."""
        with self._changed:
            if self._closed or UNFORKED.ending:
                return
        try:
            callback(*arguments)
        except BaseException as error:  # noqa: BLE001 - as for any thread
            threading.excepthook(
                threading.ExceptHookArgs((type(error), error, error.__traceback__, threading.current_thread()))
            )


def _raise(_: str, error: Exception) -> None:
    raise error
