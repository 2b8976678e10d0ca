"""`python -m sentiment_edge` is the command `sentiment-edge`."""

from sentiment_edge.cli import app

app(prog_name="sentiment-edge")
