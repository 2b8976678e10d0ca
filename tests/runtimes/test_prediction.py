from __future__ import annotations

import json

from sentiment_edge import Classifier, Prediction

CUT = Prediction("positive", 0.98765432, {"negative": 0.01234568, "positive": 0.98765432}, truncated=True)


def test_a_prediction_is_shown_in_short() -> None:
    assert repr(CUT) == "Prediction(label='positive', score=0.9877, truncated=True)"
    assert repr(Prediction("negative", 0.5, {})) == "Prediction(label='negative', score=0.5000)"


def test_a_prediction_becomes_plain_types_unrounded(classifier: Classifier) -> None:
    assert CUT.to_dict() == {
        "label": "positive",
        "score": 0.98765432,
        "scores": {"negative": 0.01234568, "positive": 0.98765432},
        "truncated": True,
    }
    prediction = classifier("I loved it.")
    assert Prediction(**json.loads(json.dumps(prediction.to_dict()))) == prediction


def test_its_scores_are_a_copy() -> None:
    CUT.to_dict()["scores"].clear()
    assert CUT.scores["positive"] == 0.98765432


def test_an_explanation_becomes_plain_types_too(classifier: Classifier) -> None:
    explanation = classifier.explain("I loved it.")
    found = json.loads(json.dumps(explanation.to_dict()))
    assert [*found] == ["text", "label", "score", "scores", "truncated", "method", "runs", "tokens"]
    assert {name: found[name] for name in ("label", "score", "scores", "truncated")} == explanation.prediction.to_dict()
    assert found["tokens"][1] == explanation.tokens[1].to_dict()
    assert [*found["tokens"][1]] == ["token", "weight", "start", "end"]
