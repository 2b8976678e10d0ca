"""A light that follows the mood of the lines that come in: red for negative, green for positive, in between what lies between.

    pip install sentiment-edge gpiozero lgpio
    tail -f chat.log | python gpio_mood_light.py

An RGB LED with a common cathode, each colour through a resistor of its own: red at GPIO 17, green at 27, blue at 22.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from gpiozero import RGBLED

from sentiment_edge import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentiment_edge import Classifier

RED, GREEN, BLUE = 17, 27, 22


def follow(lines: Iterable[str], classifier: Classifier, light: RGBLED) -> None:
    """Set the light by each line, as soon as it is there."""
    if "positive" not in classifier.labels:
        sys.exit(f"the light needs a model with the label positive; this one has {', '.join(classifier.labels)}")
    texts = (line for line in lines if line.strip())
    for prediction in classifier.stream(texts, on_error="return", read_ahead=1):
        if prediction.label is None:
            print(f"left as it was: {prediction.error}", file=sys.stderr)
            continue
        positive = prediction.scores["positive"]
        light.color = (1 - positive, positive, 0)
        print(f"{prediction.label} {prediction.score:.0%}", flush=True)


def main() -> None:
    """Follow the standard input to its end, or to Ctrl-C; the light goes off then."""
    with (
        load() as classifier,
        RGBLED(RED, GREEN, BLUE) as light,
        open(0, encoding="utf-8", errors="replace") as lines,  # a wrong byte costs a character, not the light
        suppress(KeyboardInterrupt),
    ):
        try:
            follow(lines, classifier, light)
        except BrokenPipeError:  # whoever read the output has seen enough, such as head
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python complains once more as it ends


if __name__ == "__main__":
    main()
