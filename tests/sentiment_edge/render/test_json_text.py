from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge.evaluation.as_json import as_json
from sentiment_edge.evaluation.figures import headlines
from sentiment_edge.evaluation.result import EvaluationResult, EvaluationRun
from sentiment_edge.metrics import Outcomes, evaluate
from sentiment_edge.render.json_text import json_text

ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
)


def strict(text: str) -> object:
    """Read JSON that has no constant of its own."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def expected(answer: object) -> object:
    if isinstance(answer, float) and not math.isfinite(answer):
        return None
    if isinstance(answer, dict):
        return {name: expected(entry) for name, entry in answer.items()}
    return [*map(expected, answer)] if isinstance(answer, list | tuple) else answer


@given(ANSWERS)
def test_it_is_json_in_visible_ascii_and_says_the_same(answer: object) -> None:
    text = json_text(answer)
    assert strict(text) == expected(answer)
    assert text.replace("\n", "").isascii()
    assert text.replace("\n", "").isprintable()


def test_undefined_figures_of_an_evaluation_are_null() -> None:
    truth = np.array([0, 1])
    outcomes = Outcomes(("bad", "good"), truth, truth, np.full((2, 2), np.nan))
    run = EvaluationRun("model", outcomes, evaluate(outcomes), math.inf)
    answer = strict(as_json(EvaluationResult(Path("data.tsv"), run)))
    assert isinstance(answer, dict)
    assert (answer["accuracy"], answer["calibration_error"], answer["lines_per_second"]) == (1, None, None)
    assert {title: value for title, value in headlines(run, 4) if title in {"calibration error", "lines per second"}} == {
        "calibration error": "-",
        "lines per second": "-",
    }
