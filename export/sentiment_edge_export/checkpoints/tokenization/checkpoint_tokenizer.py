"""The tokenizer that a model was trained with, read from any of its usual files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

from sentiment_edge_export.checkpoints.json_file import read_json
from sentiment_edge_export.checkpoints.remote_code import check_needs_no_code
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.errors import first_line
from sentiment_edge_runtimes.machine.panics import panics_raised
from sentiment_edge_runtimes.tokenization import PROBE
from sentiment_edge_runtimes.tokenization.tokenizer_file import TokenizerFault, check_size, parse_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from sentiment_edge_runtimes.vocabulary import Truncation

_SLOW_TOKENIZER = ("vocab.txt", "vocab.json", "merges.txt", "*.model")
"""Files that transformers can convert to a tokenizer.json."""
_SPECIAL = ("[UNK]", "[SEP]", "[CLS]")
"""Pieces that every vocabulary of BERT has."""


@dataclass(frozen=True)
class CheckpointTokenizer:
    """Turns text into token ids as in the training of the model."""

    source: Path
    """A folder with a tokenizer's files, a tokenizer.json, or a vocab.txt of BERT."""

    @cached_property
    def library(self) -> Tokenizer:
        """The tokenizer without padding and truncation.

        Raises:
            CheckpointError: there is none, or it cannot be read.
        """
        try:
            tokenizer = self._from_folder() if self.source.is_dir() else self._from_file(self.source)
        except TokenizerFault as error:
            raise CheckpointError(f"{self.source}: not a tokenizer ({first_line(error)})") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def settings(self, name: str) -> dict[str, Any]:
        """Return the object in a JSON file of the tokenizer's folder; empty if there is none."""
        return read_json(self.source / name) if self.source.is_dir() else {}

    def ids(self, text: str, max_length: int, truncation: Truncation) -> list[int]:
        """Return the text's token ids, truncated to `max_length`.

        Raises:
            CheckpointError: the tokenizer fails on the text.
        """
        tokenizer = self.library
        if truncation == "plain":
            return self._encode(text)[:max_length]
        tokenizer.enable_truncation(max_length)
        try:
            return self._encode(text)
        finally:
            tokenizer.no_truncation()

    def check(self, embeddings: int, max_length: int) -> None:
        """Check that special tokens leave room for words, and that the embedding has a row for every token.

        Raises:
            CheckpointError: one of these does not hold, or the tokenizer does not work.
        """
        tokenizer = self.library
        if self.settings("tokenizer_config.json").get("truncation_side") == "left":
            raise CheckpointError(
                f"{self.source}: the tokenizer cuts long texts at their start; the runtime cuts at the end only"
            )
        special, unknown = self._encode(""), self._encode(PROBE)
        vocabulary = tokenizer.get_vocab(with_added_tokens=True).values()
        if {*vocabulary} <= {*tokenizer.get_added_tokens_decoder()}:
            raise CheckpointError(
                f"{self.source}: the tokenizer has no vocabulary; save the one that the model was trained with"
            )
        largest = max((*vocabulary, *special, *unknown), default=-1)
        if largest >= embeddings:
            raise CheckpointError(
                f"{self.source}: the tokenizer has token {largest}, the embedding {embeddings} rows; they are not of one model"
            )
        if not 0 < len(special) < max_length:
            raise CheckpointError(
                f"{self.source}: the tokenizer adds {len(special)} special tokens to a text, not 1 to {max_length - 1}"
            )

    def _encode(self, text: str) -> list[int]:
        try:
            with panics_raised():
                ids: list[int] = self.library.encode(text).ids
        except Exception as error:  # the library raises bare Exception
            problem = f"tokenizer.json does not work on the text {text!r:.60} ({first_line(error)})"
            raise CheckpointError(f"{self.source}: {problem}") from error
        return ids

    def _from_folder(self) -> Tokenizer:
        path = self.source / "tokenizer.json"
        if path.is_file():
            return self._from_file(path)
        if any(found for pattern in _SLOW_TOKENIZER for found in self.source.glob(pattern)):
            return self._converted()
        raise CheckpointError(
            f"{self.source}: no tokenizer.json; give the tokenizer that the model was trained with by `tokenizer`"
        )

    def _from_file(self, path: Path) -> Tokenizer:
        if not path.is_file():
            raise CheckpointError(f"{path}: no such tokenizer; give a folder, a tokenizer.json or a vocab.txt")
        if path.suffix == ".txt":
            return _from_vocabulary(path)
        try:
            check_size(path.stat().st_size)
            return parse_tokenizer(path.read_bytes())
        except (OSError, TokenizerFault) as error:
            raise CheckpointError(f"{path}: not a tokenizer ({first_line(error)})") from error

    def _converted(self) -> Tokenizer:
        """Return the tokenizer that transformers converts from older files."""
        from transformers import AutoTokenizer  # noqa: PLC0415 - takes a second, and is seldom needed
        from transformers.models.auto.tokenization_auto import tokenizer_class_from_name  # noqa: PLC0415

        name = "tokenizer_config.json"
        check_needs_no_code(
            self.source / name, self.settings(name), "AutoTokenizer", lambda kind: tokenizer_class_from_name(kind) is not None
        )
        try:
            with panics_raised():
                converted = AutoTokenizer.from_pretrained(
                    self.source, local_files_only=True, trust_remote_code=False
                ).backend_tokenizer
        except Exception as error:  # depends on the tokenizer's kind
            raise CheckpointError(
                f"{self.source}: no tokenizer.json, and transformers cannot make one of the other files ({first_line(error)})"
            ) from error
        return parse_tokenizer(converted.to_str().encode())


def _from_vocabulary(path: Path) -> Tokenizer:
    """Make BERT's tokenizer from its vocabulary, a piece per line; it keeps case if a piece has capitals."""
    try:
        pieces = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")  # other line ends are part of a piece
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: not a vocabulary, a piece per line in UTF-8 ({first_line(error)})") from error
    if missing := [piece for piece in _SPECIAL if piece not in pieces]:
        raise CheckpointError(f"{path}: not a vocabulary of BERT, it lacks {', '.join(missing)}")
    cased = any(piece != piece.lower() for piece in pieces if not piece.startswith("["))
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    return parse_tokenizer(BertWordPieceTokenizer(vocabulary, lowercase=not cased).to_str().encode())
