"""A window that shows the mood of what is typed, in PySide6.

    pip install sentiment-edge PySide6
    python pyside6_window.py

The labeller loads the model and labels in a thread of its own, so that the window never waits. Signals bring what it says into
the window's thread: Qt delivers one that another thread emits when the window's thread comes to it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QVBoxLayout, QWidget

from sentiment_edge import Labeller

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent

    from sentiment_edge import Prediction

COLOURS = {"positive": "#1a7f37", "negative": "#b42318"}


class MoodWindow(QWidget):
    """A line to type in, and the mood of it."""

    said = Signal(str, str, str)  # the text, its mood or why there is none, a colour

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Mood")
        self.resize(460, 100)
        self.line = QLineEdit()
        self.mood = QLabel()
        self.mood.setWordWrap(True)
        column = QVBoxLayout(self)
        column.addWidget(self.line)
        column.addWidget(self.mood)
        self.show_mood("", "type something", "black")
        self.said.connect(self.show_mood)
        self.line.textChanged.connect(self.typed)
        self.labeller = Labeller(None, self.answered, on_error=self.failed)  # None: the model that comes with the package

    def typed(self, text: str) -> None:
        """Have the text labelled, unless another one comes first."""
        if text.strip():
            self.labeller.label(text)
        else:
            self.show_mood(text, "type something", "black")

    def answered(self, text: str, prediction: Prediction) -> None:
        """Pass a mood on, in the labeller's thread."""
        self.said.emit(text, f"{prediction.label} {prediction.score:.0%}", COLOURS.get(prediction.label, "black"))

    def failed(self, text: str, error: Exception) -> None:
        """Pass on why there is none, in the labeller's thread."""
        self.said.emit(text, str(error), "black")

    def show_mood(self, text: str, mood: str, colour: str) -> None:
        """Show what was said about the text that stands in the window now."""
        if text == self.line.text():
            self.mood.setText(mood)
            self.mood.setStyleSheet(f"font-size: 20pt; color: {colour}")

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the labeller's thread before what it would emit to is gone."""
        self.labeller.close()
        super().closeEvent(event)


if __name__ == "__main__":
    application = QApplication(sys.argv)
    shown = MoodWindow()
    shown.show()
    sys.exit(application.exec())
