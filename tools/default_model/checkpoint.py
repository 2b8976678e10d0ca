"""What the students' checkpoints have in common: labels and tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge_export.bundle.output import write_json
from tools.default_model.pieces import SPECIAL

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

LABELS = {0: "negative", 1: "positive"}


def write_files(folder: Path, tokenizer: Tokenizer, longest: int) -> None:
    """Make the folder, and write tokenizer.json and tokenizer_config.json.

    Args:
        folder: of the checkpoint.
        tokenizer: the student's.
        longest: pieces of a text that it reads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    special = dict(zip(names, SPECIAL, strict=True))
    settings = {"do_lower_case": True, "model_max_length": longest, "tokenizer_class": "BertTokenizer", **special}
    write_json(folder / "tokenizer_config.json", settings)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
