"""The line of an export on a terminal: the stage, its place and share, and the time left of the whole."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sentiment_edge.cli.common.estimate import Estimate
from sentiment_edge.cli.common.terminal import TerminalProgress

if TYPE_CHECKING:
    from collections.abc import Sequence

STAGES = [("reading", 10.0), ("tracing", 10.0), ("calibrating", 20.0), ("measuring", 60.0)]


def test_the_time_left_follows_the_work_done() -> None:
    estimate = Estimate(STAGES)
    estimate.begin("reading", 0)
    assert estimate.line(1) == "[1/4] reading ..."
    estimate.begin("tracing", 20)  # twice as slow as expected
    assert estimate.line(20) == "[2/4] tracing, about 3 min left"
    estimate.begin("calibrating", 40)
    estimate.advance(0.4)
    assert estimate.line(56) == "[3/4] calibrating 40 %, about 2 min left"
    estimate.begin("measuring", 80)
    estimate.advance(0.75)
    assert estimate.line(170) == "[4/4] measuring 75 %, about 30 s left"


def test_a_stage_may_be_skipped_or_come_unexpected() -> None:
    estimate = Estimate(STAGES)
    estimate.begin("reading", 0)
    estimate.begin("calibrating", 10)
    assert estimate.line(10) == "[2/3] calibrating, about 1 min left"
    estimate.begin("ranking", 30)
    assert estimate.line(30) == "[3/4] ranking ..."
    estimate.advance(0.05)
    assert estimate.line(31) == "[3/4] ranking 5 %"  # too little of it to tell
    estimate.advance(0.5)
    assert estimate.line(230) == "[3/4] ranking 50 %, about 4 min left"  # 200 s of its own, and 60 s of what follows


@example([("a", 0.0)], [("a", 1.0, None)])
@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 100))),
    st.lists(st.tuples(st.sampled_from("abcdefg"), st.floats(0, 1e6), st.none() | st.floats(0, 1))),
)
def test_any_stages_make_a_line(
    expected: Sequence[tuple[str, float]], begun: Sequence[tuple[str, float, float | None]]
) -> None:
    estimate = Estimate(expected)
    now = 0.0
    for name, seconds, share in begun:
        estimate.begin(name, now)
        now += seconds
        if share is not None:
            estimate.advance(share)
        found = re.fullmatch(r"\[(\d+)/(\d+)\] [a-g]( \d+ %)?( \.\.\.)?(, about \d+ (s|min) left)?", estimate.line(now))
        assert found
        assert int(found[1]) <= int(found[2])


def test_the_line_changes_in_its_place(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("sentiment_edge.cli.common.terminal.time.monotonic", lambda: now[0])
    with TerminalProgress(shown=True) as progress:
        progress.expect([("reading", 1), ("writing", 1)])
        progress.stage("reading")
        now[0] = 6
        progress.share(0.5)
        progress.share(0.51)  # too soon for another line
        progress.remark("a remark")
        progress.stage("writing")
    first, last = "[1/2] reading 50 %, about 20 s left", "[2/2] writing, about 10 s left"
    assert capsys.readouterr().err == (
        f"\r[1/2] reading ...\r{first}\r{' ' * len(first)}\rsentiment-edge: a remark\n\r{last}\r{' ' * len(last)}\r"
    )


def test_the_line_stays_one_on_a_narrow_terminal(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_edge.cli.common.terminal.os.get_terminal_size", lambda _: os.terminal_size((12, 24)))
    with TerminalProgress(shown=True) as progress:
        progress.expect([("reading", 1), ("writing", 1)])
        progress.stage("reading")
        progress.stage("writing")
    assert capfd.readouterr().err == f"\r[1/2] readi\r[2/2] writi\r{'':11}\r"


def test_nothing_is_shown_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalProgress(shown=False) as progress:
        progress.expect(STAGES)
        progress.stage("reading")
        progress.share(1)
    assert capsys.readouterr().err == ""
