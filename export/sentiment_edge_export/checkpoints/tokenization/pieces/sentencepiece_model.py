"""A SentencePiece model's file: its pieces, how it normalizes text, and its map of characters."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.errors import first_line
from sentiment_edge_runtimes.tokenization.character_map import check_character_map

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 64 * 2**20
"""Bytes of a model; that of XLM-V, with a million pieces, has 30 million."""
NORMAL, UNKNOWN, USER_DEFINED = 1, 2, 4
"""Kinds of pieces; others are never found in a text."""
_ALGORITHMS: dict[int, Literal["unigram", "bpe"]] = {1: "unigram", 2: "bpe"}


class Piece(NamedTuple):
    """One piece of the vocabulary; its place is its number."""

    text: str
    score: float
    kind: int


@dataclass(frozen=True)
class SentencePieceModel:
    """A SentencePiece model."""

    contents: bytes
    """The file itself."""
    algorithm: Literal["unigram", "bpe"]
    pieces: tuple[Piece, ...]
    unknown: int
    """The piece of unknown characters."""
    bytes_of_unknown: bool
    """True if an unknown character becomes its bytes."""
    dummy_prefix: bool
    """True if a text begins with a space."""
    trims_spaces: bool
    """True if spaces are dropped at both ends, and are one between words."""
    character_map: str | None
    """The precompiled map in base64."""

    @cached_property
    def lowest(self) -> float:
        """The lowest score of a normal piece; what is unknown scores ten less."""
        return min((piece.score for piece in self.pieces if piece.kind == NORMAL), default=0.0)

    @cached_property
    def highest(self) -> float:
        """The highest score of a normal piece."""
        return max((piece.score for piece in self.pieces if piece.kind == NORMAL), default=0.0)

    def score(self, number: int) -> float:
        """Return the score of a piece, as high for a symbol as for the best pieces of a byte each, but not below all pieces."""
        piece = self.pieces[number]
        return max(self.symbol_score(piece), self.lowest) if piece.kind == USER_DEFINED else piece.score

    def symbol_score(self, piece: Piece) -> float:
        """Return the score that SentencePiece gives to a symbol of the user's."""
        return len(piece.text.encode()) * self.highest - 0.1


def read_model(path: Path) -> SentencePieceModel:
    """Read a SentencePiece model.

    Raises:
        CheckpointError: it is none, or of a kind that no tokenizer.json can follow.
    """
    try:
        from google.protobuf.message import DecodeError  # noqa: PLC0415 - an extra
        from sentencepiece import sentencepiece_model_pb2  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise CheckpointError(f"{path}: reading it needs sentencepiece; run pip install sentencepiece protobuf") from error
    try:
        size = path.stat().st_size
        if not 0 < size <= _LARGEST:
            raise CheckpointError(f"{path}: not a SentencePiece model, it has {size} bytes")
        contents = path.read_bytes()
        file = vars(sentencepiece_model_pb2)["ModelProto"].FromString(contents)
        if not file.IsInitialized():
            raise CheckpointError(f"{path}: not a SentencePiece model, parts are missing")
    except (OSError, DecodeError, ValueError) as error:
        raise CheckpointError(f"{path}: not a SentencePiece model ({first_line(error)})") from error
    training, rules = file.trainer_spec, file.normalizer_spec
    pieces = tuple(Piece(piece.piece, float(piece.score), int(piece.type)) for piece in file.pieces)
    unknown = [index for index, piece in enumerate(pieces) if piece.kind == UNKNOWN]
    if len(unknown) != 1 or len({piece.text for piece in pieces}) < len(pieces):
        raise CheckpointError(
            f"{path}: not a SentencePiece model, it has {len(unknown)} pieces for what is unknown, or doubles"
        )
    if training.model_type not in _ALGORITHMS:
        raise CheckpointError(f"{path}: splits into words or characters; only unigram and BPE models can be exported")
    if training.treat_whitespace_as_suffix or not rules.escape_whitespaces:
        raise CheckpointError(f"{path}: keeps spaces after words, or as they are; such models cannot be exported")
    return SentencePieceModel(
        contents=contents,
        algorithm=_ALGORITHMS[training.model_type],
        pieces=pieces,
        unknown=unknown[0],
        bytes_of_unknown=training.byte_fallback,
        dummy_prefix=rules.add_dummy_prefix,
        trims_spaces=rules.remove_extra_whitespaces,
        character_map=_checked(path, rules.precompiled_charsmap) if rules.precompiled_charsmap else None,
    )


def _checked(path: Path, character_map: bytes) -> str:
    encoded = base64.b64encode(character_map).decode()
    try:
        check_character_map(encoded)
    except ValueError as error:
        raise CheckpointError(f"{path}: its map of characters is damaged: {error}") from error
    return encoded


def replaced_sequences(character_map: str) -> dict[str, str]:
    """Return the sequences of characters that a checked map replaces, and what replaces them."""
    data = base64.b64decode(character_map)
    size = int.from_bytes(data[:4], "little")
    units: list[int] = np.frombuffer(data, np.dtype("<u4"), size // 4, 4).tolist()
    replacements = data[4 + size :] + b"\0"
    children: dict[int, list[tuple[int, int]]] = {}
    for place, unit in enumerate(units):
        label = unit & 0xFF
        if label and not unit >> 31:
            children.setdefault(place ^ label, []).append((label, place))
    found = {}
    waiting = [(0, b"")]
    while waiting:
        place, key = waiting.pop()
        unit = units[place]
        begin = place ^ ((unit >> 10) << ((unit & 512) >> 6))
        if unit >> 8 & 1:
            start = units[begin] & 0x7FFFFFFF
            found[key] = replacements[start : replacements.index(b"\0", start)]
        waiting += [(child, key + bytes([label])) for label, child in children.get(begin, ())]
    return {key.decode(): value.decode() for key, value in found.items() if _is_text(key)}


def _is_text(key: bytes) -> bool:
    try:
        key.decode()
    except UnicodeDecodeError:
        return False
    return True
