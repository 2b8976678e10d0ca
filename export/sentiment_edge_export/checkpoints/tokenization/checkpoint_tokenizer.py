"""The tokenizer that a model was trained with, read from any of its usual files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sentiment_edge_export.checkpoints.json_file import read_json
from sentiment_edge_export.checkpoints.tokenization.folder import ReadTokenizer, read_file, read_folder
from sentiment_edge_export.checkpoints.tokenization.reference import ITSELF, TokenizerReference
from sentiment_edge_export.checkpoints.tokenization.settings import CONFIG
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.errors import first_line
from sentiment_edge_runtimes.machine.panics import panics_raised
from sentiment_edge_runtimes.tokenization import PROBE
from sentiment_edge_runtimes.tokenization.tokenizer_file import TokenizerFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tokenizers import Tokenizer

    from sentiment_edge_runtimes.vocabulary import Truncation


@dataclass(frozen=True)
class CheckpointTokenizer:
    """Turns text into token ids as in the training of the model."""

    source: Path
    """A folder with a tokenizer's files, a tokenizer.json, or a vocab.txt of BERT."""

    @property
    def library(self) -> Tokenizer:
        """The tokenizer without padding and truncation.

        Raises:
            CheckpointError: there is none, or it cannot be read.
        """
        return self._read.library

    @property
    def reference(self) -> TokenizerReference:
        """Another implementation of the tokenizer, to compare with; itself where there is none.

        Raises:
            CheckpointError: there is no tokenizer, or it cannot be read.
        """
        return self._read.reference or TokenizerReference(ITSELF, self._encode)

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks for the user, a sentence each.

        Raises:
            CheckpointError: there is no tokenizer, or it cannot be read.
        """
        return self._read.notes

    @property
    def copies(self) -> Mapping[int, int]:
        """Ids that the model has no embedding for, and the tokens whose embeddings they must get.

        Raises:
            CheckpointError: there is no tokenizer, or it cannot be read.
        """
        return self._read.copies

    def settings(self, name: str) -> dict[str, Any]:
        """Return the object in a JSON file of the tokenizer's folder; empty if there is none."""
        return read_json(self.source / name) if self.source.is_dir() else {}

    def stated(self) -> dict[str, Any]:
        """Return the tokenizer's config for other tools that read the bundle: without code, and of a class that it has."""
        config = {name: value for name, value in self.settings(CONFIG).items() if name != "auto_map"}
        if config and self._read.rebuilt:
            config["tokenizer_class"] = "PreTrainedTokenizerFast"
        return config

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
        if self._read.cuts_start:
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
        if not unknown:
            raise CheckpointError(f"{self.source}: the tokenizer finds no token in the text {PROBE!r}")
        if len(special) >= max_length:
            raise CheckpointError(
                f"{self.source}: the tokenizer adds {len(special)} special tokens to a text, the model reads {max_length}"
            )

    def _encode(self, text: str) -> list[int]:
        try:
            with panics_raised():
                ids: list[int] = self.library.encode(text).ids
        except Exception as error:  # the library raises bare Exception
            problem = f"tokenizer.json does not work on the text {text!r:.60} ({first_line(error)})"
            raise CheckpointError(f"{self.source}: {problem}") from error
        return ids

    @cached_property
    def _read(self) -> ReadTokenizer:
        try:
            read = read_folder(self.source) if self.source.is_dir() else ReadTokenizer(read_file(self.source))
        except TokenizerFault as error:
            raise CheckpointError(f"{self.source}: not a tokenizer ({first_line(error)})") from error
        side = self.settings(CONFIG).get("truncation_side") or (read.library.truncation or {}).get("direction")
        read.library.no_padding()
        read.library.no_truncation()
        return read._replace(cuts_start=side == "left")
