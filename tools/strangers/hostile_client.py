"""The hostile client's table: each attack, its answers, the server's memory, and whether another client was answered."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tools.strangers.attacks import bodies, crowds, heads
from tools.strangers.bystander import Bystander
from tools.strangers.served import Served
from tools.strangers.wire import ask, exchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tools.strangers.attacks.attack import Attack

ATTACKS = (*heads.ATTACKS, *bodies.ATTACKS, *crowds.ATTACKS)
MEMORY = 64 * 2**20
"""Bytes above idle that an attack may cost."""
_TIME_OUT = 10
"""Seconds that the server leaves a request."""
_PATIENCE = _TIME_OUT + 1
"""Seconds within which a bystander is answered."""
_WARM = 300
_WIDE = 46


def attack_all(chosen: Sequence[Attack], checkout: Path | None, workers: int) -> bool:
    """Make the attacks, each beside a bystander, and print the table; tell whether no bound was broken."""
    options = ["--port", "0", "--timeout", str(_TIME_OUT)]
    if checkout is None:
        options += ["--access-log", "--workers", str(workers)]
    print(f"{'attack':<{_WIDE}}{'tries':>6}{'MB':>6}  {'answers':<34}  bystander")
    with Served(*options, checkout=checkout) as server:
        for _ in range(_WARM):
            exchange(server.address, [ask()], replies=1)
        broken = [attack.name for attack in chosen if not _try(attack, server)]
        problems = [*_ended(server), *(_log_problems(server.log) if checkout is None else ())]
    for problem in problems:
        print(problem)
    print(f"broken: {', '.join(broken) or 'none'}")
    return not broken and not problems


def _try(attack: Attack, server: Served) -> bool:
    """Make one attack and print its line; tell whether it broke nothing."""
    idle = server.resident()
    server.forget_peak()
    with Bystander(server.address, _PATIENCE) as bystander:
        answers = attack.run(server.address)
    memory = max(server.peak() - idle, 0)
    problems = [*attack.unwanted(answers), *_suffered(bystander, crowded=attack.crowded)]
    if memory > MEMORY:
        problems.append(f"more than {MEMORY >> 20} MB")
    told = ", ".join(f"{answer} ({count})" for answer, count in answers.most_common())
    verdict = f"  BROKEN: {'; '.join(problems)}" if problems else ""
    print(f"{attack.name:<{_WIDE}}{answers.total():>6}{memory / 2**20:>6.0f}  {told:<34}  {bystander}{verdict}", flush=True)
    return not problems


def _suffered(bystander: Bystander, *, crowded: bool) -> Iterator[str]:
    """Yield what a bystander got that he should not have."""
    wanted = {"200", "503"} if crowded else {"200"}
    yield from (f"a bystander got {answer}" for answer in sorted(bystander.answers.keys() - wanted))


def _ended(server: Served) -> Iterator[str]:
    """Yield whether the server has survived and ends as it should."""
    started = time.monotonic()
    status = server.stop()
    print(f"SIGTERM after it all: status {status} in {time.monotonic() - started:.1f} s")
    if status:
        yield f"the server ended with status {status}"


def _log_problems(log: Path) -> Iterator[str]:
    """Yield each line of the access log that is not one object of plain characters."""
    lines = log.read_bytes().split(b"\n")[1:-1]
    print(f"access log: {len(lines)} lines")
    for line in lines:
        if not _is_entry(line):
            yield f"a line of the access log: {line[:200]!r}"


def _is_entry(line: bytes) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    wanted = {"time", "client", "method", "path", "status", "bytes", "seconds", "texts"}
    return isinstance(entry, dict) and wanted <= entry.keys() and line.decode("ascii", "replace").isprintable()
