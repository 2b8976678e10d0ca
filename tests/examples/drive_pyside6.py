"""drive_pyside6.py TEXT MOOD ...: type each text into the example's window until it shows the mood, then quit in mid-work."""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from examples.pyside6_window import MoodWindow


def main(arguments: list[str]) -> None:
    """Type, wait, delete; at last type a text whose answer is not waited for."""
    application = QApplication([])
    window = MoodWindow()
    window.show()
    for text, mood in zip(arguments[::2], arguments[1::2], strict=True):
        QTest.keyClicks(window.line, text)
        wait_for(window, mood)
        sys.stdout.write(f"{mood}\n")
        for _ in text:
            QTest.keyClick(window.line, Qt.Key.Key_Backspace)
        wait_for(window, "type something")
    QTest.keyClicks(window.line, "quit")
    window.close()
    application.quit()


def wait_for(window: MoodWindow, mood: str) -> None:
    """Keep the window alive until it shows this; whoever started the program ends one that never does."""
    while window.mood.text() != mood:
        QTest.qWait(10)


if __name__ == "__main__":
    main(sys.argv[1:])
