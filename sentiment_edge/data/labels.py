"""The data's labels matched with the model's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sentiment_edge.render.text import listed, plain
from sentiment_edge_runtimes.errors import InputError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sentiment_edge_runtimes.progress import Progress

_ID = re.compile(r"([0-9]{1,9})(?:\.0+)?")
"""A class id, also written as a float."""
_SYNONYMS = ({"negative", "neg"}, {"neutral", "neu"}, {"positive", "pos"})


def parse_map(entries: Sequence[str]) -> dict[str, str]:
    """Return the model's label for each of the data's, which are folded to one case; an empty one leaves rows out.

    Args:
        entries: `FROM=TO`, or several of them separated by commas.

    Raises:
        OptionError: an entry is not of this form, or two of them disagree.
    """
    mapping: dict[str, str] = {}
    for pair in (pair for entry in entries for pair in entry.split(",") if pair.strip()):
        source, equals, target = (part.strip() for part in pair.rpartition("="))
        if not equals or not source:
            raise OptionError("mapping", f"give FROM=TO, such as neutral=negative, or neutral= to leave rows out; not {pair!r}")
        if mapping.setdefault(source.casefold(), target) != target:
            raise OptionError("mapping", f"{source!r} is given twice, with different meanings")
    return mapping


def match_labels(
    found: Mapping[str, int], labels: Sequence[str], mapping: Mapping[str, str], progress: Progress
) -> dict[str, int | None]:
    """Return the class index of each of the data's labels; None for rows to leave out.

    A label is looked up in the mapping, then among the model's: by name in any case, by class id, by the short
    forms neg, neu and pos.

    Args:
        found: the data's labels, each with its number of rows.
        labels: the model's labels, by class index.
        mapping: as `parse_map` returns it.
        progress: hears of labels that were matched other than by name.

    Raises:
        InputError: a label, or the one it is mapped to, is not among the model's.
    """
    mapped = {source: _find(target, labels, _by_name, _by_id) for source, target in mapping.items()}
    for source, index in mapped.items():
        if index is None and mapping[source]:
            raise InputError(f"`mapping` {source}={mapping[source]}: the model's labels are {listed(labels)}")
    _refuse_from_one(found, labels, mapped)
    named = {label: _by_name(label, labels) for label in found if label.casefold() not in mapped}
    guessed = {label: _find(label, labels, _by_id, _by_synonym) for label in sorted(named) if named[label] is None}
    unknown = [label for label, index in guessed.items() if index is None]
    if unknown:
        raise InputError(_unknown_labels(unknown, found, labels))
    if guessed:
        readings = [f"{label} as {labels[index]}" for label, index in guessed.items() if index is not None]
        progress.remark(f"labels read by class id or short name: {listed(readings)}; change that by `mapping`")
    return {label: mapped.get(label.casefold()) for label in found} | named | guessed


def _refuse_from_one(found: Mapping[str, int], labels: Sequence[str], mapped: Mapping[str, object]) -> None:
    """Refuse labels that count from 1, as Amazon's polarity and stars do: as class ids, each would be the next class."""
    numbers = {label: int(match[1]) for label in found if (match := _ID.fullmatch(label))}
    open_ids = [label for label in numbers if label.casefold() not in mapped and _by_name(label, labels) is None]
    if open_ids and min(numbers.values()) > 0 and max(numbers.values()) == len(labels):
        meaning = ",".join(f"{number}={label}" for number, label in enumerate(labels, start=1))
        raise InputError(
            f"labels {listed(sorted(numbers, key=lambda label: numbers[label]))} count from 1, where class ids count from 0; "
            f"say which classes they are by `mapping`, such as '{plain(meaning, 200)}' if they are in the model's order"
        )


def _find(name: str, labels: Sequence[str], *ways: Callable[[str, Sequence[str]], int | None]) -> int | None:
    """Return the class that the first successful way finds."""
    return next((index for way in ways if (index := way(name, labels)) is not None), None)


def _by_name(name: str, labels: Sequence[str]) -> int | None:
    """Return the class of exactly this name, or the only one of this name in another case."""
    if name in labels:
        return labels.index(name)
    same = [index for index, label in enumerate(labels) if label.casefold() == name.casefold()]
    return same[0] if len(same) == 1 else None


def _by_id(name: str, labels: Sequence[str]) -> int | None:
    match = _ID.fullmatch(name)
    return int(match[1]) if match and int(match[1]) < len(labels) else None


def _by_synonym(name: str, labels: Sequence[str]) -> int | None:
    """Return the only class named by a short or long form of the same word."""
    group: set[str] = next((group for group in _SYNONYMS if name.casefold() in group), set())
    meant = [index for index, label in enumerate(labels) if label.casefold() in group]
    return meant[0] if len(meant) == 1 else None


def _unknown_labels(unknown: Sequence[str], found: Mapping[str, int], labels: Sequence[str]) -> str:
    counted = listed([f"{label} ({found[label]} rows)" for label in unknown])
    example = f"{plain(unknown[0], 40)}="
    return (
        f"labels of the data that are not the model's: {counted}; the model's are {listed(labels)}; "
        f"match them by `mapping` '{example}{labels[0]}', or leave their rows out by `mapping` '{example}'"
    )
