"""The two forms of files of torch: a zip archive, and before version 1.6 pickles followed by the numbers."""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sentiment_edge_export.checkpoints.torch_files.contents import MalformedTorchFile, MoreThanTensors, Storage
from sentiment_edge_export.checkpoints.torch_files.program import LONGEST, PickleReader
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
"""The first pickle in a file of the old form."""
_PROTOCOL_VERSION = 1001
_LONGEST_DIRECTORY = 8 * 2**20
"""The largest accepted directory of an archive, in bytes; an entry takes about 100."""
_PROGRAM = re.compile(r"([^/]+)/data\.pkl")
_ENCRYPTED = 1
_LOCAL_HEADER = struct.Struct("<4s22xHH")


class Place(NamedTuple):
    """The bytes of a storage in the file."""

    start: int
    nbytes: int


@dataclass(frozen=True)
class TorchFile:
    """A file's description of its contents, and where the numbers lie."""

    description: object
    places: dict[str, Place]
    """By the storage's key."""

    def holds(self, storage: Storage) -> bool:
        """Return whether the file has as many bytes of a storage as it describes."""
        return storage.nbytes <= self.places.get(storage.key, Place(0, 0)).nbytes


def open_torch_file(file: BinaryIO) -> TorchFile:
    """Read the description, but no numbers.

    Raises:
        MalformedTorchFile: it is no file of torch, or a damaged one.
        MoreThanTensors: it holds more than tensors.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    start = file.read(len(_ZIP))
    if start == _ZIP:
        return _open_archive(file, size)
    if start.startswith(_PICKLE):
        return _open_pickles(file, size)
    raise MalformedTorchFile("it begins like none")


class _Directory(io.BufferedIOBase):
    """A file for `ZipFile`, which would read and unfold a directory of any size."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _LONGEST_DIRECTORY:
            raise MalformedTorchFile("its directory is too large")
        return self._file.read(_LONGEST_DIRECTORY if size is None or size < 0 else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _open_archive(file: BinaryIO, size: int) -> TorchFile:
    try:
        with ZipFile(_Directory(file)) as archive:
            members = archive.infolist()
    except (BadZipFile, NotImplementedError, ValueError, struct.error, OSError) as error:
        raise MalformedTorchFile(f"its directory is damaged or cut off ({first_line(error)})") from error
    _check_sizes(members, size)
    roots = [found[1] for member in members if (found := _PROGRAM.fullmatch(member.filename))]
    if len(roots) != 1:
        raise MalformedTorchFile("an archive without a data.pkl")
    named = {member.filename.removeprefix(f"{roots[0]}/"): member for member in members}
    if "constants.pkl" in named:
        raise MoreThanTensors("the code of a TorchScript archive")
    reader = PickleReader()
    description = reader.run(io.BytesIO(_read_member(file, named["data.pkl"], size, LONGEST)))
    places = {key: _place(file, named[f"data/{key}"], size) for key in reader.storages if f"data/{key}" in named}
    return TorchFile(description, places)


def _check_sizes(members: list[ZipInfo], size: int) -> None:
    """Check that nothing is compressed, and that the members together are no larger than the file.

    Raises:
        MalformedTorchFile: one of these does not hold, or two members have one name.
    """
    if any(member.compress_type != ZIP_STORED or member.flag_bits & _ENCRYPTED for member in members):
        raise MalformedTorchFile("an archive with compressed or encrypted members, which torch does not write")
    if any(member.file_size != member.compress_size for member in members) or sum(m.file_size for m in members) > size:
        raise MalformedTorchFile("its members claim to be larger than the file")
    if len({member.filename for member in members}) != len(members):
        raise MalformedTorchFile("two of its members have one name")


def _place(file: BinaryIO, member: ZipInfo, size: int) -> Place:
    """Return where a member's bytes lie; `ZipFile.open` would also check a checksum, which torch may leave out."""
    if member.header_offset < 0:
        raise MalformedTorchFile("it is cut off")
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or not header.startswith(_ZIP):
        raise MalformedTorchFile("its directory does not fit its members")
    _, name, extra = _LOCAL_HEADER.unpack(header)
    place = Place(member.header_offset + _LOCAL_HEADER.size + name + extra, member.file_size)
    if place.start + place.nbytes > size:
        raise MalformedTorchFile("it is cut off")
    return place


def _read_member(file: BinaryIO, member: ZipInfo, size: int, most: int) -> bytes:
    place = _place(file, member, size)
    if place.nbytes > most:
        raise MalformedTorchFile(f"its {member.filename.rpartition('/')[2]} is larger than that of any weights")
    file.seek(place.start)
    return file.read(place.nbytes)


def _open_pickles(file: BinaryIO, size: int) -> TorchFile:
    file.seek(0)
    code = io.BytesIO(file.read(LONGEST))
    reader = PickleReader()
    if reader.run(code) != _MAGIC_NUMBER or reader.run(code) != _PROTOCOL_VERSION:
        raise MalformedTorchFile("a pickle, but not torch's")
    reader.run(code)  # the sizes of types where it was written
    description = reader.run(code)
    keys = reader.run(code)
    if not isinstance(keys, list) or not all(isinstance(key, str) and key in reader.storages for key in keys):
        raise MalformedTorchFile("its list of storages is damaged")
    if len({*keys}) != len(keys):
        raise MalformedTorchFile("its list of storages names one twice")
    storages = [reader.storages[key] for key in keys]
    return TorchFile(description, dict(_places(file, storages, code.tell(), size)))


def _places(file: BinaryIO, storages: list[Storage], start: int, size: int) -> Iterator[tuple[str, Place]]:
    """Yield where each storage lies: one after the other, the number of its numbers before it."""
    for storage in storages:
        file.seek(start)
        stated = file.read(8)
        place = Place(start + 8, storage.nbytes)
        if int.from_bytes(stated, "little") != storage.numel or place.start + place.nbytes > size:
            raise MalformedTorchFile("it is cut off, or its storages are not as large as described")
        yield storage.key, place
        start = place.start + place.nbytes
