"""Requests per second of `sentiment-edge serve`, one at a time and from many connections at once; every answer is checked.

python benchmarks/serve_load.py --bundle sam-int8 --texts lines.txt --requests 100000
python benchmarks/serve_load.py --bundle sam-int8 --texts lines.txt --against ../before    (another checkout's server, in turns)
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measuring import describe_machine

from sentiment_edge import load
from sentiment_edge_runtimes.machine.cpu import cpu_features

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CLOSE = 1e-4
"""Largest difference of a probability from what the text gets alone."""
_IDLE = 10
"""Seconds in which an idle server is looked at."""


class Request(NamedTuple):
    """A request, and the answer that must come back."""

    payload: bytes
    label: str
    score: float


class Rate(NamedTuple):
    """One load: requests per second, milliseconds that clients waited, milliseconds of the server's CPU time for a request."""

    per_second: float
    p50: float
    p99: float
    cpu: float


class Server(NamedTuple):
    """A server that runs: whose it is, its process, its port."""

    name: str
    pid: int
    port: int

    def processes(self) -> list[int]:
        """Return its process and those that it has started."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii")
        return [self.pid, *map(int, children.split())]

    def cpu_seconds(self) -> float:
        """Return the CPU time that it has taken."""
        fields = (Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split() for pid in self.processes())
        return sum(int(user) + int(system) for user, system in (each[11:13] for each in fields)) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Return the memory that it has, what processes share counted once."""
        rollups = (Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").split("Pss:")[1] for pid in self.processes())
        return sum(int(rollup.split()[0]) for rollup in rollups) / 1024


def main() -> None:
    """Start the servers, load them in turns, print."""
    given = _arguments()
    requests = _requests(given.bundle, given.texts)
    print(
        describe_machine("onnxruntime", "uvicorn", "starlette"),
        cpu_features().name,
        f"{len(requests)} different texts",
        sep=", ",
    )
    with _serving("this", given.bundle, given.options, None) as this:
        if given.against is None:
            _compare([this], requests, given, rounds=1)
        else:
            with _serving("other", given.bundle, given.against_options, given.against) as other:
                _compare([other, this], requests, given, rounds=given.rounds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True, help="one text per line")
    parser.add_argument("--requests", type=int, default=20_000, help="in all, from many connections; a tenth one at a time")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--options", nargs="*", default=[], help="more options of `serve`, without their dashes: threads=1")
    parser.add_argument(
        "--against", type=Path, metavar="FOLDER", help="another checkout, whose server is loaded in turns with this"
    )
    parser.add_argument("--against-options", nargs="*", default=[], help="options of the other `serve`")
    parser.add_argument("--rounds", type=int, default=5, help="turns, with --against")
    return parser.parse_args()


@contextmanager
def _serving(name: str, bundle: Path, options: Sequence[str], checkout: Path | None) -> Iterator[Server]:
    """Serve in a process of its own, by the code of a checkout."""
    command = [sys.executable, "-m", "sentiment_edge", "serve", str(bundle.resolve()), "--port", "0"]
    roots = [checkout / part for part in ("", "export", "runtimes")] if checkout else []
    path = {"PYTHONPATH": os.pathsep.join(str(root.resolve()) for root in roots)} if roots else {}
    command += [f"--{option}" for option in options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=checkout, env=os.environ | path) as process:
        assert process.stderr is not None
        port = int(process.stderr.readline().rpartition(":")[2])
        try:
            yield Server(name, process.pid, port)
        finally:
            process.terminate()


def _compare(servers: Sequence[Server], requests: Sequence[Request], given: argparse.Namespace, rounds: int) -> None:
    """Load the servers in turns; print each load, then the medians, those of the last server beside the first's."""
    rates: dict[tuple[str, int], list[Rate]] = {}
    for turn in range(rounds):
        for server in servers if turn % 2 else [*reversed(servers)]:
            for connections, count in ((1, given.requests // 10), (given.connections, given.requests)):
                rate = _load(server, requests, count, connections)
                rates.setdefault((server.name, connections), []).append(rate)
    for connections in (1, given.connections):
        first, last = ([*zip(*rates[server.name, connections], strict=True)] for server in (servers[0], servers[-1]))
        for field, old, new in zip(Rate._fields, first, last, strict=True):
            ratios = [each / before for before, each in zip(old, new, strict=True)]
            beside = f", {statistics.median(ratios):.3f} of the other's ({min(ratios):.3f} to {max(ratios):.3f})"
            print(f"{connections:>3} connections: {field} {statistics.median(new):.2f}{beside if len(servers) > 1 else ''}")
    _print_idle(servers)


def _print_idle(servers: Sequence[Server]) -> None:
    """Print the share of a core that servers take which nobody asks, and their memory."""
    before = [server.cpu_seconds() for server in servers]
    time.sleep(_IDLE)
    for server, seconds in zip(servers, before, strict=True):
        share = (server.cpu_seconds() - seconds) / _IDLE
        print(f"{server.name}: idle {share:.1%} of a core, {server.megabytes():.0f} MB in {len(server.processes())} processes")


def _requests(bundle: Path, texts: Path) -> list[Request]:
    lines = [line for line in texts.read_text(encoding="utf-8").split("\n") if line.strip()][:2000]
    classifier = load(bundle)
    return [Request(_payload(line), prediction.label, prediction.score) for line in lines for prediction in [classifier(line)]]


def _payload(text: str) -> bytes:
    body = json.dumps({"text": text}).encode()
    return b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _load(server: Server, requests: Sequence[Request], count: int, connections: int) -> Rate:
    """Send so many requests from so many connections; print and return how fast the answers came."""
    remaining = iter(range(count))
    start, worked = time.perf_counter(), server.cpu_seconds()
    waited = asyncio.run(_connect_all(server.port, requests, remaining, connections))
    per_second = count / (time.perf_counter() - start)
    cpu = 1000 * (server.cpu_seconds() - worked) / count
    waited.sort()
    p50, p99 = (1000 * waited[int(share * (len(waited) - 1))] for share in (0.5, 0.99))
    latencies = f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, mean {1000 * statistics.fmean(waited):.2f} ms, CPU {cpu:.2f} ms each"
    print(f"{server.name}: {connections:>3} connections: {count} right answers, {per_second:.0f}/s, {latencies}", flush=True)
    return Rate(per_second, p50, p99, cpu)


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
