"""Requests per second of `sentiment-edge serve`, one at a time and from many connections at once; every answer is checked.

python benchmarks/serve_load.py --bundle sam-int8 --texts lines.txt --requests 100000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measuring import describe_machine

from sentiment_edge import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CLOSE = 1e-4
"""Largest difference of a probability from what the text gets alone."""


class Request(NamedTuple):
    """A request, and the answer that must come back."""

    payload: bytes
    label: str
    score: float


def main() -> None:
    """Start the server, load it, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True, help="one text per line")
    parser.add_argument("--requests", type=int, default=20_000, help="in all, from many connections; a tenth one at a time")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--options", nargs="*", default=[], help="more options of `serve`, without their dashes: threads=1")
    arguments = parser.parse_args()
    requests = _requests(arguments.bundle, arguments.texts)
    print(describe_machine("onnxruntime", "uvicorn", "starlette"), f"{len(requests)} different texts", sep=", ")
    command = [
        sys.executable,
        "-m",
        "sentiment_edge",
        "serve",
        str(arguments.bundle),
        "--port",
        "0",
        *(f"--{option}" for option in arguments.options),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        port = int(server.stderr.readline().rpartition(":")[2])
        try:
            alone = _load(port, requests, arguments.requests // 10, 1)
            together = _load(port, requests, arguments.requests, arguments.connections)
        finally:
            server.terminate()
    print(f"one at a time: {alone:.0f} requests/s; {arguments.connections} connections: x{together / alone:.2f}")


def _requests(bundle: Path, texts: Path) -> list[Request]:
    lines = [line for line in texts.read_text(encoding="utf-8").split("\n") if line.strip()][:2000]
    classifier = load(bundle)
    return [Request(_payload(line), prediction.label, prediction.score) for line in lines for prediction in [classifier(line)]]


def _payload(text: str) -> bytes:
    body = json.dumps({"text": text}).encode()
    return b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _load(port: int, requests: Sequence[Request], count: int, connections: int) -> float:
    """Send so many requests from so many connections; print latencies, return requests per second."""
    remaining = iter(range(count))
    start = time.perf_counter()
    waited = asyncio.run(_connect_all(port, requests, remaining, connections))
    rate = count / (time.perf_counter() - start)
    waited.sort()
    p50, p99 = (1000 * waited[int(share * (len(waited) - 1))] for share in (0.5, 0.99))
    print(f"{connections:>3} connections: {count} right answers, {rate:.0f}/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms, ", end="")
    print(f"mean {1000 * statistics.fmean(waited):.2f} ms")
    return rate


async def _connect_all(port: int, requests: Sequence[Request], remaining: Iterator[int], connections: int) -> list[float]:
    lists = await asyncio.gather(*(_connection(port, requests, remaining) for _ in range(connections)))
    return [seconds for waited in lists for seconds in waited]


async def _connection(port: int, requests: Sequence[Request], remaining: Iterator[int]) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waited = []
    for number in remaining:
        request = requests[number % len(requests)]
        start = time.perf_counter()
        writer.write(request.payload)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = json.loads(await reader.readexactly(length))
        waited.append(time.perf_counter() - start)
        assert answer["sentiment"] == request.label, answer
        assert abs(answer["score"] - request.score) <= _CLOSE, answer
    writer.close()
    return waited


if __name__ == "__main__":
    main()
