from __future__ import annotations

import pytest

from sentiment_edge.cli.common.terminal import TerminalProgress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that progress sees: one entry, to be changed."""
    now = [0.0]
    monkeypatch.setattr("sentiment_edge.cli.common.terminal.time.monotonic", lambda: now[0])
    return now


def test_only_remarks_show_where_nobody_watches(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    with TerminalProgress() as progress:
        progress.stage("tracing")
        clock[0] = 10
        progress.advance(5)
        progress.remark("a remark")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "sentiment-edge: a remark\n")


def test_stages_counts_and_remarks_have_lines_of_their_own(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    with TerminalProgress(shown=True) as progress:
        progress.stage("reading")
        progress.advance(5)
        clock[0] = 4
        progress.advance(7)
        clock[0] = 4.1  # too soon for another count
        progress.advance(1)
        progress.remark("a remark")
        progress.stage("writing")
        clock[0] = 8
        progress.advance(1987)
    shown = capsys.readouterr().err
    assert (
        shown == "reading ...\n\r12 texts, 3 a second \nsentiment-edge: a remark\nwriting ...\n\r2,000 texts, 250 a second \n"
    )
