"""A window that shows the mood of what is typed, in Tk.

    pip install sentiment-edge
    python tk_window.py

The labeller loads the model and labels in a thread of its own, so that the window never waits. Tk must be used by its own
thread only: what the labeller says is put into a queue, which the window looks at 30 times a second.
"""

from __future__ import annotations

import tkinter as tk
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from sentiment_edge import Labeller

if TYPE_CHECKING:
    from sentiment_edge import Prediction

COLOURS = {"positive": "#1a7f37", "negative": "#b42318"}
LOOK = 33
"""Milliseconds between two looks at the queue."""


class MoodWindow:
    """A line to type in, and the mood of it."""

    def __init__(self, window: tk.Tk) -> None:
        self.window = window
        self.text = tk.StringVar(window)
        self.mood = tk.Label(window, text="type something", font=("sans-serif", 20), wraplength=480)
        self.said: SimpleQueue[tuple[str, str, str]] = SimpleQueue()
        self.labeller = Labeller(None, self.answered, on_error=self.failed)  # None: the model that comes with the package
        line = tk.Entry(window, textvariable=self.text, width=40, font=("sans-serif", 14))
        line.pack(padx=16, pady=16)
        line.focus_set()
        self.mood.pack(padx=16, pady=(0, 16))
        self.text.trace_add("write", self.typed)
        self.look()

    def typed(self, *_: str) -> None:
        """Have the text labelled, unless another one comes first."""
        text = self.text.get()
        if text.strip():
            self.labeller.label(text)
        else:
            self.mood.config(text="type something", fg="black")

    def answered(self, text: str, prediction: Prediction) -> None:
        """Pass a mood on, in the labeller's thread."""
        self.said.put((text, f"{prediction.label} {prediction.score:.0%}", COLOURS.get(prediction.label, "black")))

    def failed(self, text: str, error: Exception) -> None:
        """Pass on why there is none, in the labeller's thread."""
        self.said.put((text, str(error), "black"))

    def look(self) -> None:
        """Show what was said about the text that stands in the window now."""
        try:
            while True:
                text, mood, colour = self.said.get_nowait()
                if text == self.text.get():
                    self.mood.config(text=mood, fg=colour)
        except Empty:
            self.window.after(LOOK, self.look)


if __name__ == "__main__":
    root = tk.Tk()
    root.title("Mood")
    shown = MoodWindow(root)
    root.mainloop()
    shown.labeller.close()
