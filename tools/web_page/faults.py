"""Folders that lack something, or hold too much: the page says so in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.browser import Browser

_ALERT = "document.querySelector('#alert')?.textContent"


def check_faults(browser: Browser, address: str, folder: Path) -> Iterator[str]:
    """Break a page's folder in several ways, one after the other, and yield where the page does not say what is wrong."""
    yield from _expect(browser, (folder / "index.html").as_uri(), "from a web server only")
    yield from _check_old(browser, address, "WebAssembly.validate = () => false", "no WebAssembly SIMD")
    yield from _check_old(
        browser, address, "WebAssembly.Memory = class { constructor() { throw 0 } }", "no WebAssembly threads"
    )
    for name, contents, expected in _broken(folder):
        path = folder / name
        whole = path.read_bytes()
        if contents is None:
            path.unlink()
        else:
            path.write_bytes(contents)
        yield from _expect(browser, address, expected)
        path.write_bytes(whole)
    browser.complaints.clear()  # of the files that were not there


def _broken(folder: Path) -> Iterator[tuple[str, bytes | None, str]]:
    """Yield a file of the folder, contents for it or None to remove it, and a part of the line that tells."""
    manifest = json.loads((folder / "bundle/manifest.json").read_text("utf-8"))
    model = next(path.relative_to(folder).as_posix() for path in folder.glob("bundle/onnx/*.onnx"))
    yield "bundle/manifest.json", json.dumps({**manifest, "format_version": 3}).encode(), "has format 3, newer than 2"
    yield "bundle/manifest.json", b"<!doctype html>", "manifest.json is not JSON"
    yield "bundle/tokenizer.json", None, "tokenizer.json could not be loaded: the server says 404"
    yield model, b"no model", "The model could not be started"
    yield "libraries/onnxruntime-web.wasm", None, "onnxruntime-web.wasm could not be loaded"
    yield "libraries/tokenizers.js", None, "A file of this page could not be loaded"
    yield "view.js", None, "A file of this page could not be loaded"


def _check_old(browser: Browser, address: str, change: str, expected: str) -> Iterator[str]:
    """Take from the browser what old ones lack."""
    script = browser.call("Page.addScriptToEvaluateOnNewDocument", source=change)
    yield from _expect(browser, address, expected)
    browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def _expect(browser: Browser, address: str, expected: str) -> Iterator[str]:
    browser.call("Network.setCacheDisabled", cacheDisabled=True)
    browser.open(address)
    browser.wait(f"{_ALERT} || document.documentElement?.dataset.ready")
    found = str(browser.value(_ALERT))
    if expected not in found or "\n" in found:
        yield f"expected {expected!r}, the page says {found!r}"
