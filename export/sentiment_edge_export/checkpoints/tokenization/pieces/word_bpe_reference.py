"""Word-level BPE by transformers' own Python class: what ids are compared with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sentiment_edge_export.checkpoints.tokenization.reference import TokenizerReference

if TYPE_CHECKING:
    from sentiment_edge_export.checkpoints.tokenization.pieces.word_bpe import WordBpe
    from sentiment_edge_export.checkpoints.tokenization.settings import TokenizerSettings


def word_bpe_reference(settings: TokenizerSettings, built: WordBpe) -> TokenizerReference:
    """Return the tokenizer's class; its pieces have the ids that they were given here, also those that it takes for unknown."""
    import transformers  # noqa: PLC0415 - takes a second

    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity(logging.CRITICAL)  # it remarks on a missing library that is not needed here
    try:
        tokenizer = getattr(transformers, str(settings.class_name)).from_pretrained(settings.folder, local_files_only=True)
    finally:
        transformers.logging.set_verbosity(before)
    unknown = built.added[str(tokenizer.unk_token)]
    start, end = (built.added[token] for token in built.ends)

    def ids(text: str) -> list[int]:
        return [start, *(built.ids.get(piece, unknown) for piece in tokenizer.tokenize(text)), end]

    return TokenizerReference(f"transformers {transformers.__version__} {settings.class_name}", ids)
