"""The check of the page that `sentiment-edge web` writes, in a real browser."""
