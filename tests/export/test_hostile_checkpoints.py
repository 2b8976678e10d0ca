"""The short form of `make hostile` for the readers of checkpoints."""

from __future__ import annotations

import os

import pytest

if os.name != "posix":
    pytest.skip("the harness limits memory and CPU time as POSIX does", allow_module_level=True)

from tools.hostile.__main__ import failures, read_all
from tools.hostile.catalog import ENTRIES

INPUTS = 300
CHECKPOINTS = [entry for entry in ENTRIES if entry.group == "torch"]


def test_damaged_checkpoints_are_read_or_refused_in_one_line() -> None:
    tallies = read_all(CHECKPOINTS, INPUTS)
    assert not failures(tallies)
    assert sum(tally.counts.total() for tally in tallies) >= INPUTS
    assert sum(tally.counts["refused"] for tally in tallies) > INPUTS / 3, "most damage is refused, or it does not damage"
