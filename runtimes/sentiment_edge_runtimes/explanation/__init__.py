"""The reasons for a prediction: what the model says without each word of the text, or the attention where it has some."""

from sentiment_edge_runtimes.explanation.explain import explain
from sentiment_edge_runtimes.explanation.spans import MOST_RUNS

__all__ = ["MOST_RUNS", "explain"]
