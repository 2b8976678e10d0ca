"""Checkpoints: a trained classifier as it was published, with weights, config, tokenizer and labels."""
