"""The family `burn-transformer`: an encoder trained in Rust with Burn, which classifies by the first token's state.

The published checkpoint is `WarriorsSami/sentiment-analysis-model`, after Burn's own example of text classification.
"""

from sentiment_edge_export.families.burn_transformer.classifier import FAMILY, KNOWN_BY, OPTIONS, load_classifier, recognizes

__all__ = ["FAMILY", "KNOWN_BY", "OPTIONS", "load_classifier", "recognizes"]
