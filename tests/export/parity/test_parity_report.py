"""`export --report` and `--parity-data`: the user's texts are measured, and a page tells of it, passed or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers.invocation import invoke
from helpers.support import Page
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sentiment_edge.parity.page import page as report_page
from sentiment_edge_export.parity.report import Bounds, ParityReport, WorstText
from sentiment_edge_export.parity.tokens import TokenDifference, TokenizerParity
from sentiment_edge_export.quantization.sensitivity import Sensitivity
from sentiment_edge_runtimes.comparison import Condition

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STRICT = ("--min-agreement", "0", "--max-mean-drift", "0", "--max-logit-difference", "1e-30")
HOSTILE = "<script>alert('good')</script> & <b>bad</b>"
PROSE = {"html", "meta", "title", "style", "h1", "h2", "p", "ul", "li", "div", "span", "figure", "figcaption", "footer"}
KNOWN_TAGS = PROSE | {"table", "thead", "tr", "th", "td", "svg", "path", "rect", "text"}


def read_page(path: Path) -> tuple[Page, str]:
    """Return a page that stands alone, and what it shows in one string."""
    page = Page(path.read_text("utf-8"))
    assert page.foreign == []
    assert not {"script", "b"} & {*page.tags}
    return page, "\n".join(page.cells)


def test_a_page_tells_of_what_passed(tiny: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("id,text\n1,good good film\n2,\n3,it was a long day\n", "utf-8")
    arguments = ("--output", tmp_path / "out", "--parity-data", own, "--report", tmp_path / "a.html", "--json")
    done = invoke("export", "--model", tiny, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"sentiment-edge: {own}: 1 blank texts left out\n".encode()
    conditions = [Condition(**each) for each in json.loads(done.stdout)["parity"]["conditions"]]
    assert {each.texts for each in conditions} == {261}
    page, shown = read_page(tmp_path / "a.html")
    assert page.cells[0] == f"{tiny}, fp32"
    tokens = json.loads(done.stdout)["tokenizer"]
    assert f"On {tokens['texts']} texts the same as of {tokens['reference']}." in page.cells
    assert "Passed: " in shown and "Refused" not in shown
    assert {f"fp32, {each.name}" for each in conditions} | {"onnxruntime", "≥ 100%", "padded to 16"} <= {*page.cells}
    assert {f"{each.max_drift:.2g}" for each in conditions} <= {*page.cells}
    assert page.tags.count("svg") == 2
    assert not {"a.html", "own.csv"} & {path.name for path in (tmp_path / "out").rglob("*")}


def test_a_refusal_has_its_page_too(tiny: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("good good film\n", "utf-8")
    arguments = ("--labels", "<i>bad</i>,&amp;", "--parity-data", own, "--report", tmp_path / "a.html")
    done = invoke("export", "--model", tiny, "--int8", *STRICT, *arguments, "--output", tmp_path / "out")
    assert (done.returncode, done.stdout) == (3, b"")
    assert not (tmp_path / "out").exists()
    refusal = done.stderr.decode()
    failure = refusal.split("nothing written: ")[1].splitlines()[0].split("; ")[0]
    weight = refusal.split("worst first")[1].splitlines()[1].split()[0]
    page, shown = read_page(tmp_path / "a.html")
    assert f"Refused: the bundle does not give torch's answers, and was not written.\n{failure}" in shown
    assert {"<i>bad</i>", "&amp;", "What int8 does to each weight", weight, "260"} <= {*page.cells}
    assert "i" not in page.tags


def test_a_page_that_cannot_be_written_leaves_the_refusal(tiny: Path, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs a device that is always full")
    done = invoke("export", "--model", tiny, *STRICT, "--output", tmp_path / "out", "--report", full)
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.startswith(b"sentiment-edge: /dev/full: No space left on device\nsentiment-edge: parity refused")


@given(
    arrays(np.float64, (7, 3), elements=st.floats(0, 1) | st.just(np.nan)),
    arrays(np.float64, (7, 3), elements=st.floats(0, 1) | st.just(np.nan)),
    st.floats(0, 2),
    st.text(),
    st.booleans(),
)
@example(np.zeros((7, 3)), np.ones((7, 3)), 0.01, HOSTILE, True)
@example(np.zeros((7, 3)), np.zeros((7, 3)), 0, "", False)
def test_any_figures_make_a_page(torch: Array, bundle: Array, bound: float, text: str, refused: bool) -> None:
    condition = Condition("one by one", 7, np.nan, np.nan, np.nan, np.nan, np.inf, "onnxruntime", "int8")
    bounds = Bounds(agreement=1, mean_drift=bound, logit_difference=np.inf, batch_difference=np.inf)
    shares = dict.fromkeys((f"{text}0", f"{text}1", f"{text}2"), float("nan"))
    worst = (WorstText(text, np.inf, shares, shares, private=True),)
    tokens = TokenizerParity(text, 7, (TokenDifference(text, 2),))
    report = ParityReport((condition,), (), np.nan, bounds, (text,), worst, torch, bundle, (), tokens)
    weights = {"ranking" if refused else "fp32": [Sensitivity(text, np.nan, 1)]}
    page = Page(report_page(report, text, notes=[text], **weights))
    assert {"Tokens", "Good to know"} <= {*page.cells}
    assert ("Weights that stayed fp32: 100.0%" in page.cells) is not refused
    finite = np.isfinite(torch + bundle).all(axis=1).any()
    assert page.foreign == []
    assert page.tags.count("svg") == (2 if finite else 0)
    assert not [value for value in page.places if "nan" in value or "inf" in value]
    assert {*page.tags} <= KNOWN_TAGS
    assert repr(text)[:300] in {cell.removesuffix("…") for cell in page.cells}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--report", "{folder}/out/a.html"],
        ["--report", "{folder}/out"],
        ["--report", "{folder}/own.txt", "--parity-data", "{folder}/own.txt"],
        ["--report", "{folder}"],
        ["--parity-data", "{folder}"],
        ["--text-column", "text"],
    ],
)
def test_wrong_usage_is_status_2(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "own.txt").write_text("good\n")
    given = (argument.format(folder=tmp_path) for argument in arguments)
    done = invoke("export", "--model", "gru-mini", "--output", tmp_path / "out", *given)
    assert (done.returncode, done.stdout) == (2, b"")
    assert [path.name for path in tmp_path.iterdir()] == ["own.txt"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--report", "{folder}/absent/a.html"], b"no folder"),
        (["--parity-data", "{folder}/absent.txt"], b"cannot be read (No such file or directory); give the path of a file"),
        (["--parity-data", "{folder}/empty.txt", "--report", "{folder}/a.html"], b"no text in it"),
        (["--parity-data", "{folder}/stars.csv"], b"name it by --text-column"),
    ],
)
def test_bad_input_is_one_line_before_the_work(tmp_path: Path, arguments: list[str], expected: bytes) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "stars.csv").write_text("stars,words\n1,fine\n")
    given = (argument.format(folder=tmp_path) for argument in arguments)
    done = invoke("export", "--model", "gru-mini", "--output", tmp_path / "out", *given)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert expected in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"empty.txt", "stars.csv"}
