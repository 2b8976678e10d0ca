"""The links of a built site: each leads to a file and an anchor that are there, and nothing is loaded from elsewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("link", "href")}
"""What a browser fetches by itself; other links wait for a click."""
_NOT_FETCHED = {"canonical", "next", "prev", "edit", "alternate"}
"""Relations of a link element to what is not fetched."""


class _Page(HTMLParser):
    """What a page links to and can be linked to by."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[str, bool]] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := values.get(name))}
        for name in ("src", "href"):
            if value := values.get(name):
                fetched = (tag, name) in _LOADED and not _NOT_FETCHED & {*(values.get("rel") or "").split()}
                self.links.append((value, fetched))


def find_faults(site: Path) -> list[str]:
    """Return a line for each link that leads nowhere, and for each thing that is loaded from elsewhere."""
    pages = {path.resolve(): _Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    top = site.resolve()
    return [f"{path.relative_to(top)}: {fault}" for path, page in pages.items() for fault in _faults(path, page, pages, top)]


def _faults(path: Path, page: _Page, pages: dict[Path, _Page], top: Path) -> Iterator[str]:
    for link, fetched in page.links:
        parts = urlsplit(link)
        if parts.scheme in {"mailto", "data", "javascript"}:
            continue
        if parts.scheme or parts.netloc:
            if fetched:
                yield f"loads {link}"
            continue
        folder = top if parts.path.startswith("/") else path.parent
        target = (folder / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.exists():
            yield f"{link} leads nowhere"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{link}: no such anchor"
