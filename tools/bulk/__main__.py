"""Label texts on real clusters on this machine and print what it took, beside `predict`; then kill parts of them.

python -m tools.bulk [--rows 200000] [--encoder FOLDER] [--encoder-rows 20000] [--kill-rows 40000] [--engine NAME]
    [--tables answers workers kills]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge import load
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.vocabulary import ENGINES
from tools.bulk.forms import FORMS, label, predict
from tools.bulk.kills import kill_each
from tools.bulk.processes import BIN, OTHERS, REPOSITORY, per_row, ray_nodes, watch
from tools.bulk.rows import Answer, read_answers, write_rows
from tools.bulk.workers import show_workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sentiment_edge_runtimes.vocabulary import EngineName
    from tools.bulk.processes import Cost

_FEW = 1000
"""Rows of the run whose cost is taken off: the start of everything."""
_BATCH = 50
"""MB that a batch of texts and their answers may take."""
_NEAR = 1e-4
"""How far an encoder's int8 score may be from the one beside other texts; in the server too, this counts as independent."""
_NEARER = 1e-5
_TABLES = ("answers", "workers", "kills")


def main() -> int:
    """Print the tables; return 1 if an answer differs or a row is lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--encoder", type=Path, default=_encoder(), help="a bundle; by default one that `make bench` left")
    parser.add_argument("--encoder-rows", type=int, default=20_000)
    parser.add_argument("--kill-rows", type=int, default=40_000)
    parser.add_argument("--tables", nargs="+", choices=_TABLES, default=_TABLES)
    parser.add_argument("--engine", choices=ENGINES, help="only this one; by default all of each bundle")
    given = parser.parse_args()
    print(f"on {cpu_features().name}")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        good = [*_compared(place, given)] if "answers" in given.tables else []
        if "workers" in given.tables:
            show_workers(place, given.rows // 2)
        good += [_kill(place, given.kill_rows)] if "kills" in given.tables else []
    return 0 if all(good) else 1


def _encoder() -> Path | None:
    found = sorted((REPOSITORY / ".bench").glob("distilbert-mini-ours-*"))
    return found[-1] if found else None


def _compared(scratch: Path, given: argparse.Namespace) -> Iterator[bool]:
    """Print the tables of the default model and of an encoder; yield whether all answers are right."""
    idle = _show_idle(write_rows(scratch, _FEW))
    yield _compare(scratch, None, given.rows, given.engine, idle)
    if given.encoder:
        yield _compare(scratch, given.encoder, given.encoder_rows, given.engine, idle)


def _show_idle(rows: Path) -> dict[str, float]:
    """Print and return the memory of workers that label nothing, in MB."""
    found = {}
    for engine in ("spark", "ray"):
        with ray_nodes((3,) if engine == "ray" else ()) as nodes:
            command: list[str | Path] = [BIN / "python", "-m", "tools.bulk.idle", engine, rows]
            cost = watch(command, *(node.pid for node in nodes))
        found[engine] = _megabytes(cost)
        print(f"a worker of {engine} that labels nothing: {found[engine]:.0f} MB", flush=True)
    return found


def _compare(scratch: Path, bundle: Path | None, count: int, only: EngineName | None, idle: Mapping[str, float]) -> bool:
    """Print what each form took for a bundle; tell whether all answers are those of `predict`, and no worker is too large."""
    print(f"\n{bundle.name if bundle else 'the default model'}, {count} rows; CPU time a row without the start\n")
    print(f"{'':<22}{'engine':<12}{'wall s':>8}{'workers µs':>12}{'of predict':>11}{'else µs':>12}{'worker MB':>10}  answers")
    good = True
    for engine in [only] if only else load(bundle).bundle.manifest.engines:
        base, wanted = _run(scratch, "predict", bundle, engine, count)
        print(_line("predict", engine, base, base, ""))
        for form in FORMS:
            cost, found = _run(scratch, form, bundle, engine, count)
            wrong = compare(wanted, found, 0 if bundle is None else _NEAR)
            if _megabytes(cost[0]) > idle[form.partition(",")[0]] + _megabytes(base[0]) + _BATCH:
                wrong += " a worker is too large"
            good = good and not wrong
            print(_line(form, engine, cost, base, wrong or _equal(wanted, found)), flush=True)
    return good


def _run(
    scratch: Path, form: str, bundle: Path | None, engine: EngineName, count: int
) -> tuple[tuple[Cost, Cost, int], dict[int, Answer | None]]:
    """Return what all rows took, what few took, and by how many rows they differ; and the answers."""
    costs, few = [], min(_FEW, count // 2)
    for rows in (few, count):
        output = scratch / "output"
        shutil.rmtree(output, ignore_errors=True)
        where = write_rows(scratch, rows)
        costs.append((predict if form == "predict" else partial(label, form))(where, output, bundle, engine))
    return (costs[1], costs[0], count - few), read_answers(output)


def _equal(wanted: Mapping[int, Answer | None], found: Mapping[int, Answer | None]) -> str:
    beyond = compare(wanted, found, _NEARER)
    return f"equal, but {beyond} by more than {_NEARER:g}" if beyond else "equal"


def _megabytes(cost: Cost) -> float:
    """Return the memory of the largest worker."""
    return max(cost.memory.values(), default=0) / 1e6


def _line(form: str, engine: str, run: tuple[Cost, Cost, int], base: tuple[Cost, Cost, int], verdict: str) -> str:
    workers, single = (per_row(each, "worker") for each in (run, base))
    times = f"{run[0].wall:>8.1f}{workers:>12.0f}{workers / single:>11.0%}{per_row(run, *OTHERS):>12.0f}"
    return f"{form:<22}{engine:<12}{times}{_megabytes(run[0]):>10.0f}  {verdict}"


def compare(wanted: Mapping[int, Answer | None], found: Mapping[int, Answer | None], near: float) -> str:
    """Return how many rows are missing, foreign or different; nothing if none is."""
    lost, foreign = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    different = sum(_differ(wanted[each], found[each], near) for each in wanted.keys() & found.keys())
    counts = {"missing": len(lost), "foreign": len(foreign), "different": different}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _differ(one: Answer | None, other: Answer | None, near: float) -> bool:
    if one is None or other is None:
        return one is not other
    return one.label != other.label or abs(one.score - other.score) > near


def _kill(scratch: Path, count: int) -> bool:
    """Print what each kill did; tell whether every row was there once, with the right answer."""
    print(f"\nkills in the middle of {count} rows\n")
    engine = load().engine
    _, wanted = _run(scratch, "predict", None, engine, count)
    results = [*_killed(write_rows(scratch, count), scratch / "killed", engine, wanted)]
    return not any(results)


def _killed(rows: Path, output: Path, engine: EngineName, wanted: Mapping[int, Answer | None]) -> Iterator[str]:
    for name, ended in kill_each(rows, output, None, engine):
        try:
            verdict = compare(wanted, read_answers(output), 0)
        except ValueError as error:
            verdict = str(error)
        print(f"{name:<32}{ended:<34}{verdict or 'every row once, with its answer'}", flush=True)
        yield verdict


if __name__ == "__main__":
    sys.exit(main())
