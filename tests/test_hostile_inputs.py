"""The short form of `make hostile`, a few hundred damaged inputs for the readers that need no torch; and the harness itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.faulty_readers import FAULTY

pytest.importorskip("msgpack", reason="needs the extra export")
pytest.importorskip("cbor2", reason="needs the extra export")
if os.name != "posix":
    pytest.skip("the harness limits memory and CPU time as POSIX does", allow_module_level=True)

from tools.hostile.__main__ import failures, read_all, table
from tools.hostile.catalog import ENTRIES
from tools.hostile.outcome import Tally, Task
from tools.hostile.reader import Entry
from tools.hostile.supervisor import run, spread

INPUTS = 500
LIGHT = [entry for entry in ENTRIES if entry.group == "light"]


def test_damaged_inputs_are_read_or_refused_in_one_line() -> None:
    tallies = read_all(LIGHT, INPUTS)
    assert not failures(tallies)
    assert sum(tally.counts.total() for tally in tallies) >= INPUTS
    assert all(tally.counts["succeeded"] + tally.counts["refused"] == tally.counts.total() for tally in tallies)
    assert sum(tally.counts["refused"] for tally in tallies) > INPUTS / 3, "most damage is refused, or it does not damage"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("raises", "KeyError"),
        ("raises no Exception", "PanicException"),
        ("says two lines", "a message of 2 lines"),
        ("says a page", "a message far longer than a line"),
        ("says half a pair", "a message with half a surrogate pair"),
        ("takes memory", "MemoryError"),
        ("dies", "the process died of SIGABRT"),
        ("exits", "the process ended with status 7"),
        ("spins", "more than 1 s of CPU time"),
    ],
)
def test_harness_finds_a_fault_and_goes_on_after_it(name: str, problem: str, tmp_path: Path) -> None:
    tally = _tried(name, tmp_path)
    (failure,) = tally.failures
    assert failure.number == FAULTY and failure.problem == problem
    assert tally.counts == {"succeeded": 4, "failed": 1}
    (kept,) = tmp_path.iterdir()
    assert (kept / "input").read_text("ascii").startswith(f"{FAULTY} ")


@pytest.mark.parametrize(("name", "counts"), [("sound", {"succeeded": 5}), ("refuses", {"succeeded": 4, "refused": 1})])
def test_harness_finds_nothing_where_nothing_is(name: str, counts: dict[str, int], tmp_path: Path) -> None:
    assert _tried(name, tmp_path).counts == counts
    assert not [*tmp_path.iterdir()]


def test_report_names_each_cause_once(tmp_path: Path) -> None:
    tally = _tried("dies", tmp_path)
    assert "dies: the process died of SIGABRT: 1 inputs, the first is 3\n    last words" in failures([tally])
    assert table([tally]).splitlines()[-1].split() == ["total", "5", "4", "0", "1"]


def test_inputs_are_spread_by_share() -> None:
    assert spread([3, 1, 1], 10) == [6, 2, 2]
    assert spread([1000, 1], 10) == [10, 1]
    assert sum(spread([entry.share for entry in ENTRIES], 20_000)) >= 20_000


def _tried(name: str, keep: Path) -> Tally:
    """Return the outcome of five inputs by a reader with a fault."""
    tally = Tally(Entry(name, "helpers.faulty_readers", 1))
    run({name: tally}, {name: 5}, Task("", "", 0, 0, 0, 1, 4 * 2**30, str(keep)), 1)
    return tally
