"""Texts as callers have them: several at once, live sources, tables."""

from sentiment_edge_runtimes.inputs.live import READ_AHEAD, answer_live, settled
from sentiment_edge_runtimes.inputs.tables import add_answers, free_names
from sentiment_edge_runtimes.inputs.texts import as_list

__all__ = [
    "READ_AHEAD",
    "add_answers",
    "answer_live",
    "as_list",
    "free_names",
    "settled",
]
