"""Files of torch, put together byte by byte: honest ones and hostile ones."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

if TYPE_CHECKING:
    from pathlib import Path

HUGE = 2**31
"""Numbers that a hostile file asks for: eight gigabytes."""
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


def literal(value: object) -> bytes:
    """Return the instructions that put a value on the stack."""
    return pickle.dumps(value, protocol=2)[2:-1]


def named(name: str) -> bytes:
    module, _, last = name.rpartition(".")
    return b"c" + module.encode() + b"\n" + last.encode() + b"\n"


def called(name: str, *arguments: bytes) -> bytes:
    return named(name) + b"(" + b"".join(arguments) + b"tR"


def storage(key: str, numel: int, kind: str = "torch.FloatStorage", *, old: bool = False) -> bytes:
    part = b"N" if old else b""  # of which storage it is a part: none
    return b"(" + literal("storage") + named(kind) + literal(key) + literal("cpu") + literal(numel) + part + b"tQ"


def tensor(stored: bytes, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> bytes:
    view = literal(offset) + literal(shape) + literal(strides)
    return called("torch._utils._rebuild_tensor_v2", stored, view, literal(False), called("collections.OrderedDict"))


def mapping(**items: bytes) -> bytes:
    return b"}(" + b"".join(literal(name) + value for name, value in items.items()) + b"u"


def archive(description: bytes, compression: int = ZIP_STORED, **storages: bytes) -> bytes:
    """Return a file of the current form; storages are called `_0`, `_1`, ... for their keys."""
    file = io.BytesIO()
    with ZipFile(file, "w", compression) as written:
        written.writestr("a/data.pkl", b"\x80\x02" + description + b".")
        written.writestr("a/version", b"3\n")
        for name, data in storages.items():
            written.writestr(f"a/data/{name.removeprefix('_')}", data)
    return file.getvalue()


def pickles(description: bytes, keys: list[str], data: bytes) -> bytes:
    """Return a file of the old form."""
    parts = [literal(_MAGIC_NUMBER), literal(1001), literal({"little_endian": True}), description, literal(keys)]
    return b"".join(b"\x80\x02" + part + b"." for part in parts) + data


SOUND = mapping(w=tensor(storage("0", 4), (2, 2), (2, 1)))
OLD_SOUND = mapping(w=tensor(storage("0", 4, old=True), (2, 2), (2, 1)))
FOUR = struct.pack("<4f", 1, 2, 3, 4)


def forged(data: bytes, name: bytes, **fields: int) -> bytes:
    """Return an archive whose directory states other sizes or places of a member."""
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(name))
    at = {"method": (10, "<H"), "flags": (8, "<H"), "packed": (20, "<I"), "size": (24, "<I"), "place": (42, "<I")}
    changed = bytearray(data)
    for field, value in fields.items():
        offset, form = at[field]
        struct.pack_into(form, changed, entry + offset, value)
    return bytes(changed)


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as written:
        for name in ("storages", "tensors", "pickle"):
            member = tarfile.TarInfo(name)
            member.size = 4
            written.addfile(member, io.BytesIO(b"\x80\x02N."))
    return file.getvalue()


def _shared_views(number: int) -> bytes:
    """Describe many views of one storage, each of which becomes a tensor of its own when it is converted."""
    half = storage("0", 2**20, "torch.HalfStorage")
    return mapping(**{f"w{index}": tensor(half, (2**20 - number,), (1,), index) for index in range(number)})


def _laughs(depth: int) -> bytes:
    """Describe a tuple of twice the same tuple, and so on: hashing it takes two to the depth steps."""
    return b")" + b"".join(b"q\x00h\x00\x86" for _ in range(depth))


_TEXT = literal("x" * 100_000) + b"q\x01"
_ENCODE = named("_codecs.encode") + b"q\x02" + literal("latin1") + b"q\x03"
_PAIRS = b"](" + literal(("a", 1)) * 10_000 + b"e" + b"q\x01"
_ORDERED = named("collections.OrderedDict") + b"q\x02"
_ENTRY = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
_ENTRIES = 400_000
_ZIP_END = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFE, 0xFFFE, len(_ENTRY) * _ENTRIES, 0, 0)

HOSTILE = {
    "a storage larger than its member": (
        archive(mapping(w=tensor(storage("0", HUGE), (HUGE,), (1,))), _0=FOUR),
        "a storage is smaller than described",
    ),
    "a tensor larger than its storage": (
        archive(mapping(w=tensor(storage("0", 4), (HUGE,), (1,))), _0=FOUR),
        "w holds fewer numbers than its shape",
    ),
    "a number, again and again": (
        archive(mapping(w=tensor(storage("0", 4), (HUGE,), (0,))), _0=FOUR),
        "w holds fewer numbers than its shape",
    ),
    "a tensor behind its storage": (
        archive(mapping(w=tensor(storage("0", 4), (4,), (1,), HUGE)), _0=FOUR),
        "w holds fewer numbers than its shape",
    ),
    "an empty tensor of a huge shape": (
        archive(mapping(w=tensor(storage("0", 4), (0, 2**61, 2**61), (1, 1, 1))), _0=FOUR),
        "w holds fewer numbers than its shape",
    ),
    "a tensor of negative size": (archive(mapping(w=tensor(storage("0", 4), (-4,), (1,))), _0=FOUR), "described wrongly"),
    "a tensor of 100,000 dimensions": (
        archive(mapping(w=tensor(storage("0", 4), (1,) * 100_000, (1,) * 100_000)), _0=FOUR),
        "described wrongly",
    ),
    "a tensor made by its class": (archive(mapping(w=called("torch.Tensor", literal(HUGE)))), "w is not a plain tensor"),
    "a quantized tensor": (
        archive(mapping(w=called("torch._utils._rebuild_qtensor", storage("0", 4), literal(0), literal((HUGE,))))),
        "w is not a plain tensor",
    ),
    "a tensor without numbers": (
        archive(mapping(w=called("torch._utils._rebuild_meta_tensor_no_storage", named("torch.float32"), literal((HUGE,))))),
        "w is not a plain tensor",
    ),
    "a storage made by its class": (archive(mapping(w=called("torch.storage.UntypedStorage", literal(HUGE)))), "no tensors"),
    "a bytearray of gigabytes": (archive(mapping(w=called("builtins.bytearray", literal(4 * HUGE)))), "holds no tensors"),
    "bytes made again and again": (
        archive(b"](" + _TEXT + _ENCODE + b"h\x02h\x01h\x03\x86R" * 100_000 + b"e"),
        "holds a list",
    ),
    "a mapping made again and again": (
        archive(b"](" + _PAIRS + _ORDERED + b"h\x02h\x01\x85R" * 1000 + b"e"),
        "takes more than 1000000 steps",
    ),
    "keys that take for ever": (archive(b"}" + _laughs(200) + literal(1) + b"s"), "holds no tensors"),
    "values that take for ever": (archive(mapping(w=_laughs(100_000))), "holds no tensors"),
    "nested a million deep": (archive(b"N" + b"\x85" * 900_000), "holds a tuple"),
    "sets without end": (archive(b"](" + b"\x8f" * 2_000_000 + b"e"), "takes more than 1000000 steps"),
    "marks without end": (archive(b"(" * 2_000_000), "takes more than 1000000 steps"),
    "a pickle of 40 MB": (archive(literal("x" * 40_000_000)), "data.pkl is larger"),
    "views of one storage": (archive(_shared_views(2000), _0=bytes(2**21)), "far larger than the file"),
    "a stack that is empty": (archive(b"R"), "its pickle is damaged"),
    "a memo that is empty": (archive(b"h\x07"), "its pickle is damaged"),
    "a text longer than the file": (archive(b"X\xff\xff\xff\xff"), "its pickle is damaged"),
    "an instruction of Python 2": (archive(b"I5\n"), "instruction INT"),
    "a command": (archive(mapping(w=called("os.system", literal("touch ran")))), r"more than tensors \('os.system'\)"),
    "a command named in two lines": (archive(b"cos\nsystem\n" + literal(("touch ran",)) + b"R"), "more than tensors"),
    "a function of torch": (archive(mapping(w=called("torch.hub.load", literal("a/b")))), "more than tensors"),
    "a deflated archive": (archive(SOUND, ZIP_DEFLATED, _0=FOUR + bytes(10**8)), "compressed or encrypted"),
    "an encrypted member": (forged(archive(SOUND, _0=FOUR), b"a/data/0", flags=1), "compressed or encrypted"),
    "a member larger than the file": (
        forged(archive(SOUND, _0=FOUR), b"a/data/0", size=HUGE, packed=HUGE),
        "larger than the file",
    ),
    "a member that claims to shrink": (forged(archive(SOUND, _0=FOUR), b"a/data/0", size=HUGE), "larger than the file"),
    "a member elsewhere": (forged(archive(SOUND, _0=FOUR), b"a/data/0", place=7), "does not fit its members"),
    "a member behind the end": (forged(archive(SOUND, _0=FOUR), b"a/data/0", place=HUGE), "damaged or not a torch file"),
    "one member twice": (archive(SOUND, _0=FOUR).replace(b"a/data/0", b"a/data.pkl"[:8]), "damaged or not a torch file"),
    "a directory of 400,000 entries": (
        b"PK\x03\x04" + _ENTRY * _ENTRIES + _ZIP_END.replace(b"\0\0\0\0\0\0", b"\4\0\0\0\0\0"),
        "damaged or not a torch file",
    ),
    "an archive of something else": (archive(SOUND).replace(b"data.pkl", b"other.md"), "without a data.pkl"),
    "the old form with a forged size": (
        pickles(mapping(w=tensor(storage("0", HUGE), (HUGE,), (1,))), ["0"], struct.pack("<q", HUGE) + FOUR),
        "storages are not as large as described",
    ),
    "the old form with two sizes": (
        pickles(SOUND, ["0"], struct.pack("<q", 5) + FOUR),
        "storages are not as large as described",
    ),
    "the old form with a storage twice": (pickles(SOUND, ["0", "0"], struct.pack("<q", 4) + FOUR), "names one twice"),
    "the old form with an unknown storage": (pickles(SOUND, ["1"], struct.pack("<q", 4) + FOUR), "list of storages is damaged"),
    "the old form without numbers": (pickles(SOUND, [], b""), "a storage is smaller than described"),
    "a text of four gigabytes in the old form": (b"\x80\x02X\xff\xff\xff\xffx", "its pickle is damaged"),
    "another pickle": (pickle.dumps({"w": [1.0]}, protocol=2), "a pickle, but not torch's"),
    "an even older form": (_tar(), "begins like none"),
}
"""Files that ask for memory, time or a call, and a word of the reason of their refusal."""


def write(folder: Path, data: bytes, name: str = "pytorch_model.bin") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder
