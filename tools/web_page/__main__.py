"""Write the page for bundles, ask it in headless Chromium for their golden rows, and look at it: `python -m tools.web_page`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment_edge.web.site import write_site
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE
from tools.browser import Browser, BrowserError
from tools.steps import serving
from tools.web_page.faults import check_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUNDS = {"fp32": 1e-4, "int8": 0.3}
"""How far a logit may be from the golden one in WebAssembly, by precision.

Measured: 4.6e-6 in an fp32 GRU; 0.10 in an int8 encoder of six layers, whose activations are rounded to int8 by scales that are
found as the model runs, so that the last bit of a sum may move them by a step.
"""
FAMILY_BOUNDS = {("gru-attention", "int8"): 7e-4}
"""The same for families that are closer; measured: 0.00023."""
_MOST_BYTES = 18_000_000
"""Of the folder of the default model's page."""
LONG = 10_000_000
"""Characters of a text that must not stop the page."""
HOSTILE = "<img src=x onerror=alert(1)> & <b>great</b>"
VIEWS = {"wide": (1200, False), "wide-dark": (1200, True), "phone": (360, False), "phone-dark": (360, True)}
_UNWANTED = "document.querySelector('#alert').textContent || document.querySelectorAll('#result img, #result b').length"
_PATIENCE = 10
"""Seconds that a text of 10 MB may take."""
_COLUMNS = (
    *("bundle", "rows", "ids wrong", "labels wrong", "largest logit difference", "bound"),
    *("mean drift", "largest drift", "manifest's tolerance", "ms a text", "folder MB"),
)
_SENTENCE = "An unexpectedly moving film, although the second half drags and the ending is terrible."


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as the library has it
        """Log nothing."""

    def end_headers(self) -> None:
        """Keep the browser from remembering files, which are changed."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def copyfile(self, source: Any, outputfile: Any) -> None:  # noqa: ANN401 - as above
        """Send a file, unless the page that asked for it is left."""
        with suppress(ConnectionError):
            super().copyfile(source, outputfile)


def main() -> int:
    """Print a table; return 1 if an id or a label is wrong, a logit is too far off, or the page does what it must not."""
    parser = argparse.ArgumentParser(prog="python -m tools.web_page", description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path, help="folders of bundles")
    parser.add_argument("--modules", type=Path, default=Path("node_modules"), help="as that of `sentiment-edge web`")
    parser.add_argument("--pictures", type=Path, help="folder to write pictures of the page to")
    options = parser.parse_args()
    print(f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}", flush=True)
    problems = []
    try:
        for bundle in options.bundles:
            with tempfile.TemporaryDirectory(prefix="web-page-") as scratch:
                site = write_site(bundle, Path(scratch, "a folder"), options.modules)
                with serving(partial(_Quiet, directory=scratch)) as address, Browser() as browser:
                    page = f"{address}/a%20folder/"
                    found = [
                        *_check_golden(browser, page, bundle, site.size),
                        *_check_page(browser, page, options.pictures, bundle.name),
                        *_check_requests(browser, address),
                        *check_faults(browser, page, site.folder),
                    ]
                    problems += [f"{bundle.name}: {each}" for each in found]
    except BrowserError as error:
        problems.append(str(error))
    for problem in problems:
        print(f"web_page: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _check_requests(browser: Browser, address: str) -> Iterator[str]:
    """Yield what the page asked others for, and what the browser complained about."""
    if not any(each.endswith(".wasm") for each in browser.requested):
        yield "the worker's requests went unseen"
    yield from (f"asked {each}" for each in browser.requested if not each.startswith((address, "data:")))
    yield from (f"the browser says {each}" for each in browser.complaints)


def _check_golden(browser: Browser, page: str, bundle: Path, size: int) -> list[str]:
    """Print a row of the table and return what is wrong."""
    manifest = Bundle.open(bundle).manifest
    bound = FAMILY_BOUNDS.get((manifest.family, manifest.precision), BOUNDS[manifest.precision])
    stated = manifest.models[DEFAULT_ENGINE].tolerance
    browser.open(f"{page}index.html?golden")
    browser.wait("document.documentElement?.dataset.ready || document.querySelector('#alert')?.textContent")
    if alert := browser.value("document.querySelector('#alert').textContent"):
        return [str(alert)]
    found = json.loads(browser.value("document.querySelector('#golden').textContent"))
    counts = (bundle.name, *(found[key] for key in ("rows", "ids_wrong", "labels_wrong")))
    distances = f"{found['logit_difference']:.2g} | {bound:g} | {found['mean_drift']:.2g} | {found['max_drift']:.2g}"
    kept = "kept" if all(found[name] <= most for name, most in stated.items()) else "exceeded"
    measured = f"{distances} | {kept} | {found['milliseconds']:.1f} | {size / 1e6:.1f}"
    print(f"| {' | '.join(map(str, counts))} | {measured} |", flush=True)
    if kept != "kept":
        print(f"web_page: note: {bundle.name} is further off than its manifest's tolerance {dict(stated)}", file=sys.stderr)
    if bundle.resolve() == DEFAULT_BUNDLE.resolve() and size > _MOST_BYTES:
        return [f"the folder has {size / 1e6:.1f} MB, at most {_MOST_BYTES / 1e6:g} are allowed"]
    wrong = found["ids_wrong"] or found["labels_wrong"] or not found["rows"] or not found["logit_difference"] <= bound
    return [json.dumps(found)] if wrong else []


def _check_page(browser: Browser, page: str, pictures: Path | None, name: str) -> Iterator[str]:
    """Type texts, take pictures, and yield what is wrong."""
    browser.open(page)
    browser.wait("document.documentElement?.dataset.ready")
    for text, times in ((HOSTILE, 1), ("", 1), ("so good ", LONG // 8), ("\u597d", LONG)):
        start = time.monotonic()
        _type(browser, text, times)
        seconds = time.monotonic() - start
        if browser.value(_UNWANTED):
            yield f"an alert or an element after {text!r}"
        if text not in browser.value("document.querySelector('.text')?.textContent ?? document.querySelector('#text').value"):
            yield f"the attention does not show {text!r}"
        if times > 1 and "rest was not read" not in browser.value("document.querySelector('#note').textContent"):
            yield "a text of 10 MB is not said to be cut"
        if seconds > _PATIENCE:
            yield f"{text!r}, {times} times, took {seconds:.1f} s"
    _type(browser, _SENTENCE)
    for view, (width, dark) in VIEWS.items():
        browser.resize(width, 800, dark=dark)
        if browser.value("document.documentElement.scrollWidth > innerWidth"):
            yield f"{view}: wider than the window"
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            (pictures / f"{name}-{view}.png").write_bytes(browser.picture())


def _type(browser: Browser, text: str, times: int = 1) -> None:
    """Put a text into the page as typing does, and wait for its answer."""
    browser.value(
        f"""(() => {{
        const area = document.querySelector("textarea");
        delete document.body.dataset.answered;
        new MutationObserver((_, observer) => {{
          document.body.dataset.answered = "yes";
          observer.disconnect();
        }}).observe(document.querySelector("#note"), {{ childList: true }});
        area.select();
        document.execCommand({json.dumps("insertText" if text else "delete")}, false, {json.dumps(text)}.repeat({times}));
        }})()"""
    )
    browser.wait("document.body.dataset.answered || document.querySelector('#alert').textContent")


if __name__ == "__main__":
    sys.exit(main())
