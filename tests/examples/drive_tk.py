"""drive_tk.py TEXT MOOD ...: type each text into the example's window until it shows the mood, then quit in mid-work."""

from __future__ import annotations

import sys
import time
import tkinter as tk

from examples.tk_window import MoodWindow

KEYSYMS = {" ": "space", ".": "period", "!": "exclam"}


class Typist:
    """Sends key events to a window, and looks at it."""

    def __init__(self) -> None:
        self.window = tk.Tk()
        self.shown = MoodWindow(self.window)
        (self.line,) = (child for child in self.window.winfo_children() if isinstance(child, tk.Entry))
        self.window.update()
        self.line.focus_force()

    def type(self, *keysyms: str) -> None:
        for keysym in keysyms:
            self.line.event_generate("<Key>", keysym=keysym)
            self.window.update()

    def wait_for(self, mood: str) -> None:
        """Keep the window alive until it shows this; whoever started the program ends one that never does."""
        while self.shown.mood.cget("text") != mood:
            self.window.update()
            time.sleep(0.01)


def main(arguments: list[str]) -> None:
    """Type, wait, delete; at last type a text whose answer is not waited for."""
    typist = Typist()
    for text, mood in zip(arguments[::2], arguments[1::2], strict=True):
        typist.type(*(KEYSYMS.get(character, character) for character in text))
        typist.wait_for(mood)
        sys.stdout.write(f"{mood}\n")
        typist.type(*["BackSpace"] * len(text))
        typist.wait_for("type something")
    typist.type("q", "u", "i", "t")
    typist.window.destroy()
    typist.shown.labeller.close()


if __name__ == "__main__":
    main(sys.argv[1:])
