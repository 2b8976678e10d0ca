"""From the shell to the first answer, against importing the three libraries that it takes.

python benchmarks/cold_start.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from measuring import describe_machine, interleaved_medians, print_table, process_seconds

ROUNDS = 25


def main() -> None:
    """Measure and print."""
    command = str(Path(sys.executable).with_name("sentiment-edge"))
    runs = {
        "python -c 'import numpy, onnxruntime, tokenizers'": process_seconds(
            [sys.executable, "-c", "import numpy, onnxruntime, tokenizers"]
        ),
        "echo text | sentiment-edge predict": process_seconds([command, "predict"], b"text\n"),
        "sentiment-edge --help": process_seconds([command, "--help"]),
    }
    for run in runs.values():
        run()  # fills the file cache
    print(describe_machine("onnxruntime", "tokenizers", "typer"))
    medians = interleaved_medians(runs, ROUNDS)
    print_table("cold start", [(name, 1000 * value) for name, value in medians.items()], "ms")


if __name__ == "__main__":
    main()
