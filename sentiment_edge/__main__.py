"""The command `sentiment-edge`, also as `python -m sentiment_edge`."""

import sys


def main() -> None:
    """Run the command line; an interrupt ends it quietly even while something is still being imported."""
    try:
        from sentiment_edge.cli import app  # noqa: PLC0415

        app(prog_name="sentiment-edge")
    except KeyboardInterrupt:
        sys.exit(130)
    except ImportError as error:
        # A compiled module that is interrupted while it initializes raises this instead.
        if isinstance(error.__cause__, KeyboardInterrupt | SystemExit):
            sys.exit(130)
        from sentiment_edge_runtimes.machine.system import without_wheels  # noqa: PLC0415
        from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE  # noqa: PLC0415

        if error.name not in {"numpy", "tokenizers", "typer", DEFAULT_ENGINE}:  # which the package itself needs
            raise
        sys.exit(f"sentiment-edge: {error.name} is not installed: {without_wheels() or 'pip install sentiment-edge'}")
    except MemoryError:
        sys.exit("sentiment-edge: not enough memory for this; raise the limit, or take a smaller model or fewer --threads")
    except OSError as error:  # of --help and --version; commands handle their own
        from sentiment_edge.cli.common.exit import discard_stdout  # noqa: PLC0415 - loaded already

        discard_stdout()
        sys.exit(f"sentiment-edge: output: {error.strerror}")


if __name__ == "__main__":
    main()
