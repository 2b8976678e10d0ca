"""Export bundles, each of them different to run, as TOKENIZER.NAME: `python -m tools.ports.exports FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.tiny_encoders import byte_level_tokenizer, tiny_model, write_encoder

from sentiment_edge.export import GraphOptions, export_model
from tools.steps import REPOSITORY

if TYPE_CHECKING:
    from sentiment_edge_runtimes.vocabulary import EngineName

TRAINED = REPOSITORY.parent / "shared/checkpoints/electra-mini-sst3"
"""An encoder with a whole vocabulary, on the machines that have it."""


def main() -> None:
    """Export them all."""
    folder = Path(sys.argv[1])
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir()
    bert = write_encoder(checkpoints / "bert", tiny_model("bert"))
    xlnet = write_encoder(checkpoints / "xlnet", tiny_model("xlnet"))
    tokenizer = byte_level_tokenizer()
    sizes = {"vocab_size": tokenizer.get_vocab_size(), "type_vocab_size": 1, "pad_token_id": 1}
    roberta = write_encoder(checkpoints / "roberta", tiny_model("roberta", **sizes), tokenizer)
    encoder = TRAINED if TRAINED.is_dir() else bert
    engines: tuple[EngineName, ...] = ("onnxruntime", "openvino")
    export_model(str(encoder), precision="int8", engines=engines, output=folder / f"WordPiece.{encoder.name}")
    fixed = GraphOptions(fixed_batch=3, fixed_length=16)
    export_model(str(bert), graph=fixed, output=folder / "WordPiece.bert of 3 x 16")
    export_model(str(xlnet), output=folder / "WordPiece.xlnet")
    export_model(str(roberta), output=folder / "BPE.roberta")


if __name__ == "__main__":
    main()
