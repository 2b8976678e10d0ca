"""A listener to long work that keeps its remarks."""

from __future__ import annotations

from sentiment_edge_runtimes.progress import Progress


class Remarks(Progress):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def remark(self, text: str) -> None:
        self.heard.append(text)
