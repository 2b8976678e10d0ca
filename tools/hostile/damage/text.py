"""Damage to tables and to lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.hostile.damage.raw import NUMBERS, damage_bytes, pick

if TYPE_CHECKING:
    from random import Random

_PARTS = (
    *(
        b'"',
        b'""',
        b"'",
        b",",
        b";",
        b"\t",
        b"|",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
    ),
    *(
        b"\x0b",
        b"\x0c",
        b"\x85",
        "\u2028".encode(),
        b"\x1b[2J",
        b"\x1a",
        b"[/b]",
        b"\xff\xfe",
        "\u0663".encode(),
        b"{",
        b"[",
        b"\\",
    ),
    *(
        b"text",
        b"label",
        b"label,label",
        b"=1+1",
        b"x" * 200_000,
        b"," * 5000,
        b"\n" * 3000,
        b'"' * 3001,
        b"nan",
        b"inf",
        b"1_0",
    ),
    *(number.encode() for number in NUMBERS),
)


def damage_text(random: Random, data: bytes) -> bytes:
    """Return the text with parts that mean something to readers of tables, with lines moved, or with damage to its bytes."""
    changes = {_put_part: 10, _move_lines: 4, _encode_otherwise: 1, damage_bytes: 5}
    for _ in range(random.choice((1, 1, 2, 4))):
        data = pick(random, changes)(random, data)
    return data


def _put_part(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice(_PARTS) + data[place + random.choice((0, 0, 1, 8)) :]


def _move_lines(random: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines[: random.choice((len(lines), random.randrange(len(lines) + 1)))])


def _encode_otherwise(random: Random, data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode(random.choice(("utf-16", "utf-16-le", "utf-8-sig", "utf-32")))
