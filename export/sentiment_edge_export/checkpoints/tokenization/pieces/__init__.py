"""Tokenizers of checkpoints that have pieces and no tokenizer.json: a SentencePiece model, or word-level BPE."""
