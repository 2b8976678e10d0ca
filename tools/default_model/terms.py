"""Names of people and of groups that must not change an answer: texts with others of them put in."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LISTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_GROUP = 0.6
"""Share of groups where a name could stand too."""
_PEOPLE = (
    "people|person|man|woman|men|women|guy|guys|girl|girls|boy|boys|kid|kids|family|friend|friends|actor|actress|director|doctor|nurse"
    "|teacher|neighbour|waiter|waitress|driver|clerk|cook|manager|agent|couple|student|colleague|host|mother|father|mom|dad|guide|author"
    "|singer|technician|salesman"
)
_ROLES = re.compile(rf"\b({_PEOPLE})\b")
_PRONOUNS = re.compile(rf"\b(?:he|she|He|She|(?:[Tt]he|[Oo]ur|[Mm]y) (?:{_PEOPLE}))(?= \w)")


def swap_terms(texts: Sequence[str], rounds: int, seed: int) -> Iterator[tuple[str, int]]:
    """Yield texts in which a name stands for a person, or a group before one; and the number of the text each was made of."""
    chance = random.Random(seed)
    for number, text in enumerate(texts):
        roles, pronouns = [*_ROLES.finditer(text)], [*_PRONOUNS.finditer(text)]
        for _ in range(rounds if roles or pronouns else 0):
            if roles and (not pronouns or chance.random() < _GROUP):
                start, group = chance.choice(roles).start(), chance.choice(_LISTS["groups"])
                yield f"{text[:start]}{group} {text[start:]}", number
            else:
                found, name = chance.choice(pronouns), chance.choice(_LISTS["names"])
                yield f"{text[: found.start()]}{name}{text[found.end() :]}", number
