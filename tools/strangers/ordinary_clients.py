"""Ordinary clients: curl, Java, Node and Python's libraries ask, and Prometheus' parser counts what they asked."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from collections import Counter
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import urlopen

from tools.strangers.served import HANGS, Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PROGRAMS = Path(__file__).parent / "clients"
_BODY = json.dumps({"text": "I loved it. \N{SNOWMAN}"}, ensure_ascii=False)
_CURL = ("curl", "--silent", "--show-error", "--write-out", "\n%{http_code}")
_JSON = ("-H", "Content-Type: application/json")
_CLOSE = 1e-4


class Said(NamedTuple):
    """An answer that a client's program printed."""

    form: str
    status: int
    answer: Any


def ask_all(workers: int) -> bool:
    """Let every client ask; print what each got, and tell whether all of it is right, and counted."""
    with tempfile.TemporaryDirectory() as folder, Served("--port", "0", "--workers", str(workers)) as server:
        wanted = json.loads(_curl(server.url, "-d", _BODY)[1])
        before = _counted(server.url)
        said = [*_curls(server.url, Path(folder)), *_programs(server.url)]
        after = _counted(server.url)
        good = _print(said, wanted)
        counted = after["/predict", "200"] - before["/predict", "200"]
        sent = sum(each.status == HTTPStatus.OK for each in said)
        print(f"Prometheus' parser: {counted:.0f} answers to /predict with 200 counted, {sent} sent")
        _show_refusals(server.url)
        at_file = _over_a_file(Path(folder) / "socket", wanted)
    return good and counted == sent and at_file


def _print(said: Sequence[Said], wanted: dict[str, Any]) -> bool:
    """Print the answers by form; tell whether all are right."""
    good = True
    for form, count in Counter(each.form for each in said).items():
        wrong = [each for each in said if each.form == form and not _right(each, wanted)]
        good = good and not wrong
        print(f"{form:<40}{count:>4}  {f'WRONG: {wrong[0].status} {wrong[0].answer}' if wrong else 'right'}")
    return good


def _right(said: Said, wanted: dict[str, Any]) -> bool:
    if said.status != HTTPStatus.OK:
        return False
    far = abs(said.answer["score"] - wanted["score"])
    return bool(said.answer["sentiment"] == wanted["sentiment"] and far < _CLOSE)


def _curl(url: str, *options: str) -> tuple[int, str]:
    done = subprocess.run([*_CURL, f"{url}/predict", *options], capture_output=True, text=True, timeout=HANGS, check=False)
    answer, _, status = done.stdout.rpartition("\n")
    return int(status or 0), answer or done.stderr


def _curls(url: str, folder: Path) -> Iterator[Said]:
    """Ask by curl, in the forms that people use."""
    packed, marked = folder / "packed.gz", folder / "marked.json"
    packed.write_bytes(gzip.compress(_BODY.encode()))
    marked.write_bytes(b"\xef\xbb\xbf" + _BODY.encode())
    forms: dict[str, tuple[str, ...]] = {
        "-d": ("-d", _BODY),
        "--json": ("--json", _BODY),
        "--http2": ("--http2", *_JSON, "-d", _BODY),
        "--http1.0": ("--http1.0", "-d", _BODY),
        "--compressed": ("--compressed", "-d", _BODY),
        "chunked": ("-H", "Transfer-Encoding: chunked", "-d", _BODY),
        "100-continue": ("-H", "Expect: 100-continue", "-d", _BODY),
        "gzip": ("-H", "Content-Encoding: gzip", *_JSON, "--data-binary", f"@{packed}"),
        "a byte order mark": (*_JSON, "--data-binary", f"@{marked}"),
        "charset=utf-8": ("-H", "Content-Type: application/json; charset=utf-8", "-d", _BODY),
    }
    for form, options in forms.items():
        status, answer = _curl(url, *options)
        yield Said(f"curl {form}", status, _parsed(answer))


def _show_refusals(url: str) -> None:
    """Print what curl shows of refusals."""
    for form, options in {
        "--http2-prior-knowledge": ("--http2-prior-knowledge", "-d", _BODY),
        "text/xml": ("-H", "Content-Type: text/xml", "-d", _BODY),
        "charset=latin-1": ("-H", "Content-Type: application/json; charset=latin-1", "-d", _BODY),
        "a foreign Host": ("-H", "Host: evil.example", "-d", _BODY),
        "a header of 40 kB": ("-H", f"X-Filler: {40_000 * 'a'}", "-d", _BODY),
    }.items():
        status, answer = _curl(url, *options)
        print(f"curl {form:<35}      {status} {answer.strip():.150}")


def _programs(url: str) -> Iterator[Said]:
    """Run the clients' programs and yield what they printed."""
    for program, file in ((sys.executable, "client.py"), ("node", "client.mjs"), ("java", "Client.java")):
        done = subprocess.run(
            [program, _PROGRAMS / file, url, _BODY], capture_output=True, text=True, timeout=HANGS, check=False
        )
        yield from (Said(**json.loads(line)) for line in done.stdout.splitlines())
        if done.returncode:
            yield Said(file, 0, done.stderr[-1000:])


def _parsed(text: str) -> Any:  # noqa: ANN401 - what JSON may be
    try:
        return json.loads(text)
    except ValueError:
        return text


def _counted(url: str) -> Counter[tuple[str, str]]:
    """Return the requests that the server has counted, by route and status, as Prometheus' own parser reads them."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - for this part only

    with urlopen(f"{url}/metrics", timeout=HANGS) as answer:  # noqa: S310 - the server that is tried
        families = text_string_to_metric_families(answer.read().decode())
    counts: Counter[tuple[str, str]] = Counter()
    for sample in (sample for family in families for sample in family.samples):
        if sample.name == "sentiment_edge_requests_total":
            counts[sample.labels["route"], sample.labels["status"]] += int(sample.value)
    return counts


def _over_a_file(path: Path, wanted: dict[str, Any]) -> bool:
    """Ask over a socket that is a file; tell whether the answer is right and the file gone at the end."""
    with Served("--uds", str(path)) as server:
        status, answer = _curl("http://localhost", "--unix-socket", str(path), "-d", _BODY)
        server.stop()
    good = _right(Said("", status, _parsed(answer)), wanted) and not path.exists()
    print(f"{'curl --unix-socket':<40}{1:>4}  {'right' if good else f'WRONG: {status} {answer}'}")
    return good
