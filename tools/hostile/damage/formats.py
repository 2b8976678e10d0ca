"""Damage that keeps a format's frame sound, so that what lies behind it is reached: checksums, sizes and headers fit again."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import cbor2
import msgpack

from tools.hostile.damage.raw import INTEGERS, damage_bytes, pick
from tools.hostile.damage.tree import damage_json, damage_tree

if TYPE_CHECKING:
    from random import Random

    Members = list[tuple[str, bytes]]

_ZIP_HEADERS = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")
_LONGEST_HEADER = 46
_OPERATIONS = b".0123()}]abcdeghijlopqrstuBCFGIJKLMNPQRSTUVX" + bytes(range(0x80, 0x98))
_FUNCTIONS = (b"os\nsystem", b"builtins\neval", b"torch\nload", b"torch._utils\n_rebuild_tensor_v2", b"torch\nSize")
_OPERANDS = {b"K": 1, b"M": 2, b"J": 4, b"X": 4, b"r": 4, b"j": 4, b"h": 1}
"""Operations of a pickle that an integer of so many bytes follows."""
_BURNPACK_HEAD = struct.Struct("<IHI")


def damage_zip(random: Random, data: bytes) -> bytes:
    """Return an archive with damage to its bytes, its headers, or to one of its members, checksums right again."""
    return pick(random, {damage_bytes: 1, _damage_zip_header: 1, _damage_member: 2})(random, data)


def damage_pickle(random: Random, data: bytes) -> bytes:
    """Return a pickle with operations more or changed, or with damage to its bytes."""
    changes = {_change_operation: 3, _insert_operations: 2, _insert_global: 1, _change_operand: 2, damage_bytes: 2}
    for _ in range(random.choice((1, 1, 2, 4))):
        data = pick(random, changes)(random, data)
    return data


def damage_safetensors(random: Random, data: bytes) -> bytes:
    """Return a safetensors file with damage to its header, whose length fits again, or to any byte."""
    size = int.from_bytes(data[:8], "little")
    header, numbers = data[8 : 8 + size], data[8 + size :]
    kind = pick(random, {"bytes": 2, "length": 1, "numbers": 1, "header": 6})
    if kind == "bytes":
        return damage_bytes(random, data)
    if kind == "length":
        return struct.pack("<Q", random.choice(INTEGERS) % 2**64) + data[8:]
    if kind == "numbers":
        return data[: 8 + size] + damage_bytes(random, numbers)
    header = damage_json(random, header)
    return struct.pack("<Q", len(header)) + header + numbers


def damage_messagepack(random: Random, data: bytes) -> bytes:
    """Return MessagePack with damage to the tree in it, or to its bytes."""
    return pick(random, {damage_bytes: 2, _damage_packed: 3})(random, data)


def damage_gzip(random: Random, data: bytes) -> bytes:
    """Return gzipped MessagePack with damage inside or outside, or far more zeros than weights can be."""
    kind = pick(random, {"outside": 8, "zeros": 1, "inside": 11})
    if kind == "outside":
        return damage_bytes(random, data)
    inside = bytes(random.choice((2**20, 2**27))) if kind == "zeros" else damage_messagepack(random, gzip.decompress(data))
    return gzip.compress(inside, mtime=0)


def damage_burnpack(random: Random, data: bytes) -> bytes:
    """Return a burnpack file with damage to its description, whose length fits again, or to any byte."""
    start = _BURNPACK_HEAD.size
    magic, version, size = _BURNPACK_HEAD.unpack(data[:start])
    kind = pick(random, {"bytes": 3, "length": 1, "description": 6})
    if kind == "bytes":
        return damage_bytes(random, data)
    if kind == "length":
        return _BURNPACK_HEAD.pack(magic, version, random.choice(INTEGERS) % 2**32) + data[start:]
    values: tuple[Any, ...] = (b"", b"\xff" * 9, cbor2.CBORSimpleValue(99), 2**70, -(2**70), [2**40, 2**40])
    try:
        described = cbor2.dumps(damage_tree(random, cbor2.loads(data[start : start + size]), values))
    except (cbor2.CBORError, ValueError):  # half a surrogate pair
        described = damage_bytes(random, data[start : start + size])
    return _BURNPACK_HEAD.pack(magic, version, len(described)) + described + data[start + size :]


def damage_lines(random: Random, data: bytes) -> bytes:
    """Return lines of JSON with damage to what some of them say, or to their bytes."""
    if pick(random, {"bytes": 3, "lines": 7}) == "bytes":
        return damage_bytes(random, data)
    lines = data.split(b"\n")
    for _ in range(random.choice((1, 1, 3))):
        place = random.randrange(len(lines))
        if lines[place].startswith(b"{"):
            lines[place] = damage_json(random, lines[place]) if _is_json(lines[place]) else b"{"
    return b"\n".join(lines)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _damage_packed(random: Random, data: bytes) -> bytes:
    tree = damage_tree(random, msgpack.unpackb(data, strict_map_key=False), (b"", b"\xff" * 7, msgpack.ExtType(5, b"abc")))
    try:
        packed: bytes = msgpack.packb(tree, unicode_errors="surrogatepass")
    except (OverflowError, ValueError, TypeError):  # a number that the format cannot hold
        return damage_bytes(random, data)
    return packed


def _damage_zip_header(random: Random, data: bytes) -> bytes:
    """Change a field of one of the archive's headers."""
    signature = random.choice(_ZIP_HEADERS)
    places = [place for place in range(len(data)) if data.startswith(signature, place)] or [0]
    place = random.choice(places) + random.randrange(4, _LONGEST_HEADER)
    size = random.choice((1, 2, 4, 8))
    return data[:place] + _integer(random, size) + data[place + size :]


def _damage_member(random: Random, data: bytes) -> bytes:
    """Rebuild the archive with a member that is damaged, renamed, doubled, deflated or not there."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    members = _changed_members(random, members)
    kind = pick(random, {zipfile.ZIP_STORED: 6, zipfile.ZIP_DEFLATED: 1})
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", kind) as archive:
        for name, contents in members:
            archive.writestr(zipfile.ZipInfo(name), contents, kind)
    return written.getvalue()


def _changed_members(random: Random, members: Members) -> Members:
    pickles = [place for place, (name, _) in enumerate(members) if name.endswith(".pkl")]
    place = random.choice(random.choice((pickles or [0], range(len(members)))))
    name, contents = members[place]
    kind = pick(random, {"damage": 6, "rename": 1, "double": 1, "drop": 1, "none": 1})
    if kind == "damage":
        damaged = damage_pickle(random, contents) if name.endswith(".pkl") else damage_bytes(random, contents)
        members[place] = name, damaged
    elif kind == "rename":
        members[place] = random.choice(("", "../x", name.upper(), name + "\0", "a" * 3000, "archive/data/0")), contents
    elif kind == "double":
        members.insert(random.randrange(len(members)), (name, random.choice((b"", contents, bytes(2**20)))))
    elif kind == "drop":
        del members[place]
    return members


def _change_operation(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + bytes([random.choice(_OPERATIONS)]) + data[place + 1 :]


def _insert_operations(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + bytes([random.choice(_OPERATIONS)]) * random.choice((1, 1, 3, 5000)) + data[place:]


def _insert_global(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + b"c" + random.choice(_FUNCTIONS) + b"\n" + data[place:]


def _change_operand(random: Random, data: bytes) -> bytes:
    """Put an extreme value behind an operation that takes an integer."""
    places = [place for place in range(len(data)) if data[place : place + 1] in _OPERANDS]
    if not places:
        return data
    place = random.choice(places)
    size = _OPERANDS[data[place : place + 1]]
    return data[: place + 1] + _integer(random, size) + data[place + 1 + size :]


def _integer(random: Random, size: int) -> bytes:
    number: int = random.choice(INTEGERS) % 2 ** (8 * size)
    return number.to_bytes(size, "little")
