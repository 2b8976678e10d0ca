"""The command `sentiment-edge`, also as `python -m sentiment_edge`."""

import sys


def main() -> None:
    """Run the command line; an interrupt ends it with 130 even while it is still being imported."""
    try:
        from sentiment_edge.cli import app  # noqa: PLC0415

        app(prog_name="sentiment-edge")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
