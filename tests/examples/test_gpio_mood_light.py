"""The light of examples/gpio_mood_light.py, on the pins that gpiozero makes up for tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("gpiozero", reason="needs gpiozero, of the extra test")

from gpiozero import RGBLED
from gpiozero.pins.mock import MockFactory, MockPWMPin
from helpers.support import edit_manifest

from examples.gpio_mood_light import BLUE, GREEN, RED, follow
from sentiment_edge import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge import Classifier

EXAMPLE = Path(__file__).parents[2] / "examples/gpio_mood_light.py"
HANGS = 300
MOCK = {"GPIOZERO_PIN_FACTORY": "mock", "GPIOZERO_MOCK_PIN_CLASS": "mockpwmpin"}


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory(pin_class=MockPWMPin)
    yield factory
    factory.close()


def test_the_light_follows_each_line_before_the_next_is_read(classifier: Classifier, pins: MockFactory) -> None:
    seen: list[list[float]] = []
    texts = ["I loved every minute of it.", "Dreadful, a waste of time.", "   ", "Wonderful!"]

    def lines() -> Iterator[str]:
        for text in texts:
            yield text
            seen.append([pins.pin(number).state for number in (RED, GREEN, BLUE)])

    with RGBLED(RED, GREEN, BLUE, pin_factory=pins) as light:
        follow(lines(), classifier, light)
    expected = [classifier(text).scores["positive"] for text in texts]
    shown = [0, 1, 1, 3]  # a blank line leaves the light as it was
    assert seen == [pytest.approx([1 - expected[place], expected[place], 0]) for place in shown]
    assert seen[0][1] > 0.5 > seen[1][1]


def test_as_a_program_it_reads_to_the_end() -> None:
    done = run(b"I loved it.\n\nDreadful.\n\xff\xfe bad bytes, good film\n")
    assert (done.returncode, done.stderr) == (0, b"")
    labels = [line.split()[0] for line in done.stdout.decode().splitlines()]
    assert labels[:2] == ["positive", "negative"] and len(labels) == 3


def test_a_reader_that_has_seen_enough_ends_it_in_silence() -> None:
    program = subprocess.Popen(
        [sys.executable, str(EXAMPLE)],
        env=os.environ | MOCK,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdin and program.stdout and program.stderr
    program.stdin.write(b"I loved it.\n")
    program.stdin.flush()
    assert program.stdout.readline().startswith(b"positive")
    program.stdout.close()
    _, said = program.communicate(b"Dreadful.\n" * 3, HANGS)
    assert (program.returncode, said) == (0, b"")


def test_a_model_of_other_labels_is_refused_at_the_start(bundle_folder: Path, pins: MockFactory) -> None:
    edit_manifest(bundle_folder, labels=["bad", "good"])
    with RGBLED(RED, GREEN, BLUE, pin_factory=pins) as light, pytest.raises(SystemExit, match="this one has bad, good"):
        follow([], load(bundle_folder), light)


def run(lines: bytes) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, str(EXAMPLE)]
    return subprocess.run(program, env=os.environ | MOCK, input=lines, capture_output=True, timeout=HANGS, check=False)
