"""Damage to tokenizer.json, beginning with sound and with crafted ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.crafted_tokenizers import FATAL, REFUSED, SOUND, UNLUCKY_AT_SOME_TEXT

from tools.hostile.damage.raw import damage_bytes, pick
from tools.hostile.damage.tree import damage_json

if TYPE_CHECKING:
    from random import Random

_HOSTILE = (*FATAL.values(), *(contents for contents, _ in REFUSED.values()))
_ODD = (*SOUND.values(), *UNLUCKY_AT_SOME_TEXT.values())


def damage_tokenizer(random: Random, usual: bytes) -> bytes:
    """Return a crafted tokenizer.json, or one with damage; `usual` is an ordinary one."""
    kind = pick(random, {"crafted": 1, "crafted, damaged": 2, "odd, damaged": 5, "usual, damaged": 2})
    seed = random.choice(_HOSTILE if kind.startswith("crafted") else _ODD) if kind != "usual, damaged" else usual
    if kind == "crafted":
        return seed
    try:
        return damage_json(random, seed)
    except (ValueError, RecursionError):  # the crafted one is no JSON
        return damage_bytes(random, seed)
