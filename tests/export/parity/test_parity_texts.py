"""The texts that every export is measured on."""

from __future__ import annotations

from sentiment_edge_export.parity.texts import parity_texts


def test_the_texts_are_many_and_of_many_kinds() -> None:
    texts = parity_texts()
    assert len(texts) == len({*texts}) >= 200
    counts = [len(text.split()) for text in texts]
    assert {0, 1} < {*counts}
    assert max(counts) == 2000
    assert sum(not text.isascii() for text in texts) >= 30
