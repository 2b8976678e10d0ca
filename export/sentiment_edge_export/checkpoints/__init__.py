"""Reading a trained classifier as it was published: weights, config, tokenizer, labels."""
