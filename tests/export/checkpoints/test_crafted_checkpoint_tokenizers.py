"""Crafted tokenizer.json in a checkpoint: the export refuses them as the runtime does."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.crafted_tokenizers import FATAL, REFUSED, TEXTS, UNLUCKY_AT_SOME_TEXT

from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.vocabulary import TRUNCATIONS, Truncation

CRAFTED = {**FATAL, **{name: contents for name, (contents, _) in REFUSED.items()}}
"""In this order: a fault in the check of the first would end the process, and be seen in the runtime's tests first."""


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_tokenizer_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "tokenizer.json").write_bytes(CRAFTED[name])
    with pytest.raises(CheckpointError) as refusal:
        CheckpointTokenizer(tmp_path).check(10_000, 128)
    assert "\n" not in str(refusal.value)
    assert "token" in str(refusal.value)


@pytest.mark.parametrize("name", UNLUCKY_AT_SOME_TEXT)
@pytest.mark.parametrize("truncation", TRUNCATIONS)
def test_a_text_that_the_library_panics_at_is_named(tmp_path: Path, name: str, truncation: Truncation) -> None:
    (tmp_path / "tokenizer.json").write_bytes(UNLUCKY_AT_SOME_TEXT[name])
    tokenizer = CheckpointTokenizer(tmp_path)
    problems = []
    for text in TEXTS:
        try:
            tokenizer.ids(text, 128, truncation)
        except CheckpointError as error:
            problems.append(str(error))
    assert len(problems) < len(TEXTS)
    assert all("does not work on the text" in problem for problem in problems)
