"""The tokenizer of a checkpoint, as it was in training, whatever files describe it."""
