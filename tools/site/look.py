"""A look at the built site in headless Chromium, opened from its folder, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.browser import Browser, BrowserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WIDTHS = {"phone": (360, 740), "desktop": (1280, 800)}
"""Of windows, in pixels."""
_NOT_OPENED = "404.html"
"""It is for servers: its links begin at the root."""
_LOCAL = ("file:", "data:", "blob:")
_WIDER = "document.documentElement.scrollWidth - innerWidth"
_BROKEN = "[...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.src)"
_WANTED, _PAGE = "parity", "parity-and-int8.html"
"""What to search for, and a page that has it."""
_SEARCH = (
    "[...document.querySelectorAll('*')].find((each) => each.shadowRoot?.querySelector('input[role=combobox]'))?.shadowRoot"
)
_FOUND = f"[...{_SEARCH}.querySelectorAll('a')].some((link) => link.href.includes('{_PAGE}'))"


def look(site: Path, pictures: Path | None) -> list[str]:
    """Open every page as on a phone and on a desktop, and search.

    Args:
        site: folder of the pages.
        pictures: a folder for a picture of each.

    Returns:
        A line for each page wider than its window, each picture or script that fails, each request to elsewhere.
    """
    with Browser() as browser:
        faults = [fault for width in _WIDTHS for fault in _look_at_pages(browser, site, width, pictures)]
        return [*faults, *_look_for_search(browser, site)]


def _look_at_pages(browser: Browser, site: Path, width: str, pictures: Path | None) -> Iterator[str]:
    browser.resize(*_WIDTHS[width])
    for page in sorted({*site.rglob("*.html")} - {site / _NOT_OPENED}):
        browser.requested.clear()
        browser.complaints.clear()
        browser.open(page.as_uri())
        browser.wait("document.readyState === 'complete'")
        name = page.relative_to(site).with_suffix("").as_posix()
        if (wider := browser.value(_WIDER)) > 0:
            yield f"{name} on a {width}: {wider} pixels wider than the window"
        yield from (f"{name} on a {width}: no such picture: {source}" for source in browser.value(_BROKEN))
        yield from (f"{name} on a {width}: asks for {each}" for each in browser.requested if not each.startswith(_LOCAL))
        yield from (f"{name} on a {width}: {complaint}" for complaint in browser.complaints)
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            (pictures / f"{name.replace('/', '-')}-{width}.png").write_bytes(browser.picture())


def _look_for_search(browser: Browser, site: Path) -> Iterator[str]:
    browser.open((site / "index.html").as_uri())
    browser.wait("document.readyState === 'complete'")
    try:
        browser.value("document.querySelector('.md-search__button').click()")
        browser.wait(f"Boolean({_SEARCH})")
        browser.value(f"{_SEARCH}.querySelector('[role=combobox]').focus()")
        for letter in _WANTED:
            browser.call("Input.insertText", text=letter)
            browser.value("new Promise((done) => setTimeout(done, 200))")  # as one types: the worker answers in between
        if (typed := browser.value(f"{_SEARCH}.querySelector('[role=combobox]').value")) != _WANTED:
            yield f"the field of the search holds {typed!r} after {_WANTED!r} was typed"
        browser.wait(_FOUND)
    except BrowserError as error:
        yield f"search for {_WANTED!r} does not find {_PAGE}: {error}"
