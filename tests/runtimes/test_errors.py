from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from sentiment_edge import BundleDamaged, BundleError, BundleInvalid, BundleMissing, BundleTooNew, InputError
from sentiment_edge_runtimes.errors import OptionError, check_at_least, check_choice, first_line


def test_a_value_outside_a_closed_set_is_named_with_those_inside() -> None:
    check_choice("precision", "int8", ("fp32", "int8"))
    with pytest.raises(OptionError, match=r"^`precision`: 'INT8' is not one of fp32, int8$") as refusal:
        check_choice("precision", "INT8", ("fp32", "int8"))
    assert isinstance(refusal.value, InputError)
    assert (refusal.value.option, refusal.value.exit_status) == ("precision", 2)


@pytest.mark.parametrize("value", [1, -1, 2.0, "3", True, None])
def test_what_is_not_a_whole_number_or_too_small_is_named(value: Any) -> None:
    check_at_least("texts", 2, 2)
    with pytest.raises(OptionError, match=f"^`texts`: {value!r} is not a whole number of 2 or more$"):
        check_at_least("texts", value, 2)


def test_an_option_error_can_be_sent_to_another_process() -> None:
    error = OptionError("engine", "`abacus` is none")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (str(copy), copy.option) == (str(error), "engine")


@pytest.mark.parametrize(
    "error",
    [
        BundleError("x: y"),
        BundleMissing(Path("x")),
        BundleMissing(Path("x"), "an archive"),
        BundleInvalid(Path("x"), "y"),
        BundleTooNew(Path("x"), 2, 1),
        BundleDamaged(Path("x"), "y", "z"),
    ],
    ids=str,
)
def test_a_bundle_error_can_be_sent_to_another_process(error: BundleError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(copy), str(copy)) == (type(error), str(error))


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("plain", "plain"),
        ("\n  first \nsecond", "first"),
        ("Exception from src/core.cpp:132:\nCheck 'x' failed at src/core.cpp:133:\nUnable to read it\n\n", "Unable to read it"),
        ("Error(s) in loading:\n\tMissing key(s): a, b", "Missing key(s): a, b"),
        ("nothing follows:", "nothing follows:"),
        ("", "KeyboardInterrupt"),
    ],
)
def test_the_line_that_says_something_is_found(message: str, line: str) -> None:
    assert first_line(KeyboardInterrupt(message)) == line
