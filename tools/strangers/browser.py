"""The page in a real browser: alone, behind a proxy under a prefix, and asked by pages of other origins."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tools.steps import serving
from tools.strangers.served import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

PREFIX = "/feel"
_HANDED_ON = ("Content-Type", "Content-Security-Policy", "Location")
_SCRIPT = '<img src=x onerror="document.title=1"> it was <b>wonderful</b> \N{PILE OF POO}'
_FOREIGN = """
async ([url, type]) => {
  try {
    const options = { method: "POST", headers: type ? { "Content-Type": type } : {}, body: '{"text": "I loved it."}' };
    const answer = await fetch(url + "/predict", options);
    return `${answer.status} ${(await answer.json()).sentiment ?? ""}`.trim();
  } catch (error) { return "blocked"; }
}
"""
_FORM = """
url => {
  const form = document.createElement("form");
  Object.assign(form, { action: url + "/predict", method: "post", enctype: "text/plain" });
  const field = document.createElement("input");
  Object.assign(field, { name: '{"text": "I loved it.", "a": "', value: '"}' });
  form.append(field);
  document.body.append(form);
  form.submit();
}
"""


class _Handler(BaseHTTPRequestHandler):
    """Hands requests to a server, with or without their prefix; without a server it is a page of another origin."""

    def __init__(self, *arguments: Any, target: int | None, strips: bool) -> None:  # noqa: ANN401 - the base class's
        self._target, self._strips = target, strips
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer as the server does."""
        status, headers, answer = 200, {"Content-Type": "text/html"}, b"<!doctype html><title>foreign</title><body>"
        if self._target is not None:
            status, headers, answer = self._handed_on(self._target) if self.path.startswith(PREFIX) else (404, {}, b"")
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        with suppress(BrokenPipeError):  # a browser does not wait for every picture
            self.end_headers()
            self.wfile.write(answer)

    def _handed_on(self, port: int) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", port)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = (self.path.removeprefix(PREFIX) or "/") if self._strips else self.path
        connection.request(self.command, path, body, dict(self.headers))
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        kept = {name: value for name, value in response.getheaders() if name.title() in _HANDED_ON}
        return response.status, kept, answer

    do_POST = do_GET  # noqa: N815 - the base class's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _listening(target: int | None = None, *, strips: bool = False) -> AbstractContextManager[str]:
    """Listen in a thread; the context is the address."""
    return serving(partial(_Handler, target=target, strips=strips))


def look(pictures: Path | None) -> bool:
    """Look at the page in Chromium, print what was found, and tell whether all is well."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with import_module("playwright.sync_api").sync_playwright() as playwright:
        options = {"executable_path": program, "args": ["--no-sandbox"]} if program else {}
        browser = playwright.chromium.launch(**options)
        checks = [*_own_pages(browser.new_page, pictures), *_foreign_pages(browser.new_page)]
        browser.close()
    for name, found, wanted in checks:
        print(f"{name:<58}{found}{'' if found == wanted else f'  WRONG: not {wanted}'}")
    return all(found == wanted for _, found, wanted in checks)


Check = tuple[str, str, str]


def _own_pages(new_page: Callable[[], Any], pictures: Path | None) -> Iterator[Check]:
    """Yield what the page shows, alone and behind proxies."""
    with Served("--port", "0") as server:
        yield "the page", _used(new_page(), server.url, pictures and pictures / "alone.png"), "positive"
    with Served("--port", "0", "--root-path", PREFIX) as server:
        yield "with --root-path, without a proxy", _used(new_page(), server.url, None), "positive"
        for strips in (True, False):
            with _listening(server.port, strips=strips) as url:
                name = f"behind a proxy that {'takes off' if strips else 'keeps'} the prefix"
                picture = pictures and pictures / f"proxy-{strips}.png"
                yield name, _used(new_page(), f"{url}{PREFIX}/", picture), "positive"
                if not strips:
                    yield f"{name}, without a slash", _used(new_page(), url + PREFIX, None), "positive"


def _used(page: Any, url: str, picture: Path | None) -> str:  # noqa: ANN401 - a library of this tool's own environment
    """Use the page as people do; return the label that it shows, or what went wrong."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(url)
    page.fill("textarea", _SCRIPT)
    for method in ("attention", "occlusion"):
        page.select_option("select", method)
        page.click("button")
        page.wait_for_selector("section h2, section .error", timeout=30_000)
        if page.query_selector("section .error"):
            return f"error: {page.inner_text('section .error')}"
    page.wait_for_selector("section .note:has-text('runs of the model')")
    shown = page.inner_text("section .text")
    if "<b>wonderful</b>" not in shown or page.title() != "sentiment-edge" or page.query_selector("section img"):
        return f"the text is shown as {shown!r}, under the title {page.title()!r}"
    if picture:
        page.screenshot(path=str(picture), full_page=True)
    label = str(page.inner_text("section h2").split()[0])
    page.close()
    return f"console: {said}" if said else label


def _foreign_pages(new_page: Callable[[], Any]) -> Iterator[Check]:
    """Yield what pages of other origins get: answers only where their origin was named, and nothing by a form."""
    with _listening() as foreign, _listening() as other:
        for named in (foreign, "*", ""):
            with Served("--port", "0", *(("--cors-origin", named) if named else ())) as server:
                name = f"--cors-origin {'a page' if named == foreign else named}" if named else "no --cors-origin"
                json_type, text = "application/json", "text/plain"
                answer = "200 positive" if named else "blocked"
                yield f"{name}: JSON from that page", _foreign(new_page(), foreign, server.url, json_type), answer
                answer = "200 positive" if named == "*" else "blocked"
                yield f"{name}: JSON from another page", _foreign(new_page(), other, server.url, json_type), answer
                answer = "415" if named else "blocked"
                yield f"{name}: text/plain from that page", _foreign(new_page(), foreign, server.url, text), answer
                yield f"{name}: a form of that page", _form(new_page(), foreign, server.url), "415" if named else "403"


def _foreign(page: Any, origin: str, url: str, kind: str) -> str:  # noqa: ANN401
    page.goto(origin)
    answer = str(page.evaluate(_FOREIGN, [url, kind]))
    page.close()
    return answer


def _form(page: Any, origin: str, url: str) -> str:  # noqa: ANN401
    """Send a form whose text is JSON, as a page may without being asked; return the status."""
    page.goto(origin)
    with page.expect_navigation() as navigation:
        page.evaluate(_FORM, url)
    status, text = navigation.value.status, page.inner_text("body")
    page.close()
    return str(status) if "error" in json.loads(text) else f"{status} {text}"
