"""Usual names of columns."""

TEXT = ("text", "sentence", "review", "content", "tweet", "line", "comment", "message", "body", "document")
LABEL = ("label", "sentiment", "target", "class", "gold", "polarity", "category", "label3", "label2", "label5")
PREDICTION = ("prediction", "predicted", "pred", "predicted_label", "predicted_class")
"""Usual names of columns, in any case; of several in a file, the first listed here is taken."""
USUAL = frozenset((*TEXT, *LABEL, *PREDICTION))
