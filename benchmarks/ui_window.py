"""A window whose timer tells how long its thread was kept from it, while a classifier loads and a text is typed.

python benchmarks/ui_window.py TOOLKIT WAY BUNDLE

Prints the longest gap between two ticks, in milliseconds, as JSON: before, while loading, while typing; and the seconds to the
first answer. benchmarks/ui_stalls.py runs it, in processes of their own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("", "runtimes")]

if TYPE_CHECKING:
    from collections.abc import Callable

_TICK = 5
_STILL, _TYPED = 400, 40
"""Milliseconds between ticks, before it begins, and between keys."""
_TEXT = "I did not like the beginning, but what a wonderful film it became in the end"


class _Toolkit(Protocol):
    """A window of a toolkit."""

    def repeat(self, milliseconds: int, function: Callable[[], object]) -> None:
        """Call a function again and again, in the window's thread."""
        ...

    def show(self, text: str) -> None:
        """Show a text."""
        ...

    def run(self) -> None:
        """Show the window until `quit`."""
        ...

    def quit(self) -> None:
        """Close the window."""
        ...


class _TkWindow:
    """A window of Tk's with an entry."""

    def __init__(self) -> None:
        import tkinter as tk  # noqa: PLC0415 - of either toolkit, the one that is measured

        self._root = tk.Tk()
        self._shown = tk.Label(self._root)
        self._shown.pack()

    def repeat(self, milliseconds: int, function: Callable[[], object]) -> None:
        def again() -> None:
            self._root.after(milliseconds, again)
            function()

        self._root.after(milliseconds, again)

    def show(self, text: str) -> None:
        self._shown["text"] = text

    def run(self) -> None:
        self._root.mainloop()

    def quit(self) -> None:
        self._root.destroy()


class _QtWindow:
    """A window of PySide6."""

    def __init__(self) -> None:
        from PySide6 import QtCore, QtWidgets  # noqa: PLC0415 - as above

        self._core = QtCore
        self._app = QtWidgets.QApplication([])
        self._shown = QtWidgets.QLabel()
        self._shown.show()
        self._timers: list[Any] = []

    def repeat(self, milliseconds: int, function: Callable[[], object]) -> None:
        timer = self._core.QTimer()
        timer.setTimerType(self._core.Qt.TimerType.PreciseTimer)
        timer.timeout.connect(function)
        timer.start(milliseconds)
        self._timers.append(timer)

    def show(self, text: str) -> None:
        self._shown.setText(text)

    def run(self) -> None:
        self._app.exec()

    def quit(self) -> None:
        self._app.quit()


class _Measurement:
    """Ticks, and keys that are typed once a while has passed."""

    def __init__(self, window: _Toolkit, start: Callable[[_Measurement], Callable[[str], object]]) -> None:
        self._window, self._start = window, start
        self.gaps = {"still": 0.0, "loading": 0.0, "typing": 0.0}
        self._last = self._created = perf_counter()
        self._began = self._answered = 0.0
        self._label: Callable[[str], object] | None = None
        self._keys = self._seen = 0
        self.answer: object = None
        window.repeat(_TICK, self._tick)
        window.repeat(_TYPED, self._key)

    @property
    def seconds(self) -> float:
        """The seconds from the beginning to the first answer."""
        return self._answered - self._began

    def _tick(self) -> None:
        now = perf_counter()
        phase = "typing" if self._answered else "loading" if self._began else "still"
        self.gaps[phase] = max(self.gaps[phase], 1000 * (now - self._last))
        self._last = now
        if self.answer is not None and not self._answered:
            self._answered = now
        if self.answer is not None:
            self._window.show(str(self.answer))

    def _key(self) -> None:
        if perf_counter() - self._created < _STILL / 1000:
            return
        if self._label is None:
            self._began = perf_counter()
            self._label = self._start(self)
        self._keys += 1
        self._label(_TEXT[: self._keys % len(_TEXT)])
        self._seen += bool(self._answered)
        if self._seen > len(_TEXT):
            self._window.quit()


def in_its_thread(bundle: str | None) -> Callable[[_Measurement], Callable[[str], object]]:
    """Import, load and predict in the window's thread, when the first key is pressed."""

    def start(measured: _Measurement) -> Callable[[str], object]:
        from sentiment_edge import load  # noqa: PLC0415 - what is measured

        classifier = load(bundle)

        def label(text: str) -> None:
            measured.answer = classifier(text)

        return label

    return start


def warmed_beside(bundle: str | None) -> Callable[[_Measurement], Callable[[str], object]]:
    """Import in the window's thread, load in the background, predict in the window's thread."""

    def start(measured: _Measurement) -> Callable[[str], object]:
        from sentiment_edge import load  # noqa: PLC0415 - what is measured

        classifier = load(bundle, warm="background")
        ready = Thread(target=lambda: classifier("ready?"), daemon=True)
        ready.start()

        def label(text: str) -> None:
            if not ready.is_alive():
                measured.answer = classifier(text)

        return label

    return start


def labeller(bundle: str | None) -> Callable[[_Measurement], Callable[[str], object]]:
    """Leave everything to a labeller."""

    def start(measured: _Measurement) -> Callable[[str], object]:
        from sentiment_edge import Labeller  # noqa: PLC0415 - what is measured

        def show(_: str, prediction: object) -> None:
            measured.answer = prediction

        return Labeller(bundle, show).label

    return start


WAYS = {"window's thread": in_its_thread, 'load(warm="background")': warmed_beside, "Labeller": labeller}
TOOLKITS: dict[str, Callable[[], _Toolkit]] = {"Tk": _TkWindow, "PySide6": _QtWindow}


def main() -> None:
    """Run one window and print what it measured."""
    _, toolkit, way, bundle = sys.argv
    window = TOOLKITS[toolkit]()
    measured = _Measurement(window, WAYS[way](bundle or None))
    window.run()
    print(json.dumps({**measured.gaps, "seconds": measured.seconds}))


if __name__ == "__main__":
    main()
