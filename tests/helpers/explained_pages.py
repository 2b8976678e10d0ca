"""Pages of explanations as a browser would show them, and what nothing on them may be read as."""

from __future__ import annotations

from html.parser import HTMLParser

ODD = (
    "[/b]",
    "[positive]",
    "[red]x[/]",
    ":smile:",
    "$x^{",
    r"\$x$",
    "\ud800",
    "\0\x1b[2J\x9b",
    "مرحبا 好",
    "\u202ex",
    "a\nb",
    "",
)
"""Labels and tokens that something reads as more than text."""


class _Reader(HTMLParser):
    """Collects what a browser would show in the paragraph of the text."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = ""
        self.outside: list[str] = []
        self._stack: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = dict(attrs).get("class") or ""
        self._stack.append(classes or tag)
        self.outside += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the base class's signature
        self._stack.pop()

    def handle_data(self, data: str) -> None:
        if "text" in self._stack and "token special" not in self._stack:
            self.shown += data


def shown_text(html: str) -> str:
    reader = _Reader()
    reader.feed(html[html.index("<p ") : html.index("<footer")])
    assert not reader.outside
    return reader.shown
