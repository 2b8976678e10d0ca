"""The teacher's answers from which the default model learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from helpers.tiny_encoders import tiny_model, write_encoder

from sentiment_edge import load
from tools.default_model import answers

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TEXTS = ["good", "not a good film", "bad", "", "long"]


def test_answers_go_on_where_they_stopped_and_start_anew_for_other_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, kept = write_encoder(tmp_path / "teacher", tiny_model("bert")), tmp_path / "answers.npz"
    monkeypatch.setattr(answers, "_PART", 2)
    first = answers.answer(teacher, TEXTS[:3], kept)
    capsys.readouterr()
    whole = answers.answer(teacher, TEXTS, kept)
    assert capsys.readouterr().out.startswith("answers: 5/5")  # one part: the first three are kept
    assert np.array_equal(whole[:3], first)
    (bundle,) = tmp_path.glob("teacher-int8-*")
    logits = load(bundle).logits(TEXTS)
    assert np.abs(whole - (logits[:, 1] - logits[:, 0])).max() < 1e-3
    changed = answers.answer(teacher, TEXTS[::-1], kept)
    assert "begun anew" in capsys.readouterr().out
    assert np.abs(changed - whole[::-1]).max() < 1e-4


def test_another_teacher_is_asked_anew(tmp_path: Path) -> None:
    kept = tmp_path / "answers.npz"
    found = []
    for layers in (1, 2):
        teacher = write_encoder(tmp_path / "teacher", tiny_model("bert", num_hidden_layers=layers))
        found.append(answers.answer(teacher, TEXTS, kept))
    assert np.abs(found[0] - found[1]).max() > 1e-3
