"""Headless Chromium, driven by its DevTools protocol over two pipes: no library is needed for that."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-pipe")
_OURS = 10
"""The lowest descriptor that our ends of the pipes may have: the browser's are 3 and 4."""
_PHONE = 600
"""Pixels below which a page is shown as on a phone."""
_SECONDS = 60
"""Time after which the page is taken to hang."""


class BrowserError(Exception):
    """The browser is not there, ended, or failed to do something."""


def find_chromium() -> str | None:
    """Return the path of the browser that is installed here, if any."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Browser:
    """One tab. As a context manager it ends the browser at last."""

    def __init__(self) -> None:
        program = find_chromium()
        if program is None:
            raise BrowserError("needs Chromium; on Debian: apt-get install chromium")
        self._profile = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        theirs, mine = _pipe(), _pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, theirs[0], 3),
            (os.POSIX_SPAWN_DUP2, mine[1], 4),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        arguments = [program, *_FLAGS, f"--user-data-dir={self._profile.name}", "about:blank"]
        self._process = os.posix_spawn(program, arguments, os.environ, file_actions=actions, setpgroup=0)
        os.close(theirs[0])
        os.close(mine[1])
        self._to, self._from = theirs[1], mine[0]
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.requested: list[str] = []
        """Addresses that the page and its worker asked for."""
        self.complaints: list[str] = []
        """Errors and warnings that the browser logged."""
        self._session = self._attach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        number = self._send(self._session, method, **parameters)
        until = time.monotonic() + _SECONDS
        while (answer := self._read(until)).get("id") != number:
            self._note(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    def open(self, address: str) -> None:
        """Open a page."""
        self.call("Page.navigate", url=address)

    def value(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page has
        """Return the value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise BrowserError(str(found["exceptionDetails"].get("exception", found)))
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true in the page."""
        until = time.monotonic() + _SECONDS
        while not self.value(condition):
            if time.monotonic() > until:
                raise BrowserError(f"never came true: {condition}; the page shows: {self.value('document.body.innerText')}")
            time.sleep(0.05)

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Give the page a width, and the colours of the dark or the light mode."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < _PHONE)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self) -> bytes:
        """Return the page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def _attach(self) -> str:
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        session = str(self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"])
        self._session = session
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
        return session

    def _watch(self, worker: str) -> None:
        """Have a worker of the page tell what it does, from its start on."""
        for method in ("Network.enable", "Log.enable", "Runtime.enable", "Runtime.runIfWaitingForDebugger"):
            self._send(worker, method)

    def _send(self, session: str | None, method: str, **parameters: object) -> int:
        """Send a message and return its number."""
        self._number += 1
        address = {} if session is None else {"sessionId": session}
        message = {"id": self._number, "method": method, "params": parameters, **address}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._number

    def _note(self, event: dict[str, Any]) -> None:
        """Keep what an event tells."""
        details = event.get("params", {})
        if event.get("method") == "Target.attachedToTarget" and details["targetInfo"]["type"] == "worker":
            self._watch(details["sessionId"])
        if event.get("method") == "Network.requestWillBeSent":
            self.requested.append(details["request"]["url"])
        if event.get("method") == "Log.entryAdded":
            self.complaints.append(f"{details['entry']['text']} {details['entry'].get('url', '')}".strip())
        if event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(details["exceptionDetails"].get("exception", details["exceptionDetails"])))

    def _read(self, until: float) -> dict[str, Any]:
        """Return the next message."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], max(0, until - time.monotonic()))
            more = os.read(self._from, 2**20) if ready else b""
            if not more:
                raise BrowserError("the browser ended" if ready else f"the browser gave no answer in {_SECONDS} s")
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


def _pipe() -> tuple[int, int]:
    """Return the two ends of a pipe, with numbers beyond those that the browser takes."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _OURS) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
