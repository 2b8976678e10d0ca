"""Tokenization: the bundle's tokenizer.json, checked before it is loaded, and texts as the model reads them."""

from sentiment_edge_runtimes.tokenization.text_tokenizer import PROBE, TextTokenizer, Tokens, encodable

__all__ = ["PROBE", "TextTokenizer", "Tokens", "encodable"]
