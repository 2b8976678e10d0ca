"""A trained classifier as published: where its files are, what its config says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from sentiment_edge_export.catalog import KNOWN_MODELS, KnownModel
from sentiment_edge_export.errors import CheckpointError, UnknownModel
from sentiment_edge_export.hub import download
from sentiment_edge_export.weights import read_weights
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from torch import Tensor

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_SLOW_TOKENIZER = ("vocab.txt", "vocab.json", "merges.txt", "*.model")
"""Files that transformers can make a tokenizer.json of."""
_LICENCE = re.compile(r"\A---\n.*?^license: *([\w.+-]+)", re.DOTALL | re.MULTILINE)
"""In the front matter of a model card."""


@dataclass(frozen=True)
class Checkpoint:
    """A folder with weights, config and tokenizer."""

    folder: Path
    name: str
    """What a bundle made of it is called."""
    source: str
    """Where it is from: a Hub id, or the name of a folder."""
    revision: str | None = None
    """The Hub's commit."""
    known_licence: str | None = None

    @cached_property
    def config(self) -> dict[str, Any]:
        """The contents of config.json; empty without one."""
        return self.read_json("config.json")

    @property
    def architectures(self) -> tuple[str, ...]:
        """The classes that the config names; none where it says something else there."""
        stated = self.config.get("architectures")
        return tuple(name for name in stated if isinstance(name, str)) if isinstance(stated, list) else ()

    def read_json(self, name: str) -> dict[str, Any]:
        """Return the object in a file of the folder; empty where there is no such file.

        Raises:
            CheckpointError: the file holds something else.
        """
        path = self.folder / name
        if not path.exists():
            return {}
        try:
            contents = json.loads(path.read_text(encoding="utf-8"))
            json.dumps(contents, ensure_ascii=False).encode()  # what holds half a surrogate pair could not be written
        except (OSError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{path}: not readable as JSON ({error})") from error
        if not isinstance(contents, dict):
            raise CheckpointError(f"{path}: not a JSON object")
        return contents

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """The tensors by name, fp32, without container and prefix."""
        return read_weights(self.folder)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer, freed of padding and truncation."""
        path = self.folder / "tokenizer.json"
        if not path.is_file() and any(found for pattern in _SLOW_TOKENIZER for found in self.folder.glob(pattern)):
            tokenizer = self._converted_tokenizer()
        elif not path.is_file():
            raise CheckpointError(f"{self.folder}: no tokenizer.json; save the tokenizer that the model was trained with there")
        else:
            try:
                tokenizer = Tokenizer.from_file(str(path))
            except Exception as error:  # the library raises bare Exception
                raise CheckpointError(f"{path}: not a tokenizer ({error})") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def _converted_tokenizer(self) -> Tokenizer:
        """Let transformers convert the older files of a tokenizer."""
        from transformers import AutoTokenizer  # noqa: PLC0415 - takes a second, and is seldom needed

        try:
            converted = AutoTokenizer.from_pretrained(self.folder, local_files_only=True).backend_tokenizer
        except Exception as error:  # depends on the tokenizer's kind
            reason = first_line(error)
            raise CheckpointError(
                f"{self.folder}: no tokenizer.json, and transformers cannot make one of the other files ({reason})"
            ) from error
        return Tokenizer.from_str(converted.to_str())

    def tokenize(self, text: str, max_length: int) -> list[int]:
        """Return the text's token ids, cut as the tokenizer cuts."""
        tokenizer = self.tokenizer
        tokenizer.enable_truncation(max_length)
        try:
            ids: list[int] = tokenizer.encode(text).ids
        finally:
            tokenizer.no_truncation()
        return ids

    def check_tokenizer(self, embeddings: int, max_length: int) -> None:
        """Check that every text has tokens, that they leave room for words, and that the embedding has a row for each.

        Raises:
            CheckpointError: one of these does not hold.
        """
        tokenizer = self.tokenizer
        if self.read_json("tokenizer_config.json").get("truncation_side") == "left":
            raise CheckpointError(
                f"{self.folder}: the tokenizer cuts long texts at their start; the runtime cuts at the end only"
            )
        try:
            special = tokenizer.encode("").ids
            unknown = tokenizer.encode("\N{SNOWMAN} unheard-of").ids
        except Exception as error:  # the library raises bare Exception
            raise CheckpointError(f"{self.folder}: tokenizer.json does not work ({error})") from error
        vocabulary = tokenizer.get_vocab(with_added_tokens=True).values()
        if {*vocabulary} <= {*tokenizer.get_added_tokens_decoder()}:
            raise CheckpointError(
                f"{self.folder}: the tokenizer has no vocabulary; save the one that the model was trained with"
            )
        largest = max((*vocabulary, *special, *unknown), default=-1)
        if largest >= embeddings:
            raise CheckpointError(
                f"{self.folder}: the tokenizer has token {largest}, the embedding {embeddings} rows; they are not of one model"
            )
        if not 0 < len(special) < max_length:
            raise CheckpointError(f"{self.folder}: the tokenizer adds {len(special)} special tokens to a text")

    @property
    def licence(self) -> str | None:
        """The licence of the weights, where known or stated in the folder's model card."""
        card = self.folder / "README.md"
        stated = _LICENCE.search(card.read_text(encoding="utf-8", errors="replace")) if card.is_file() else None
        return stated[1] if stated else self.known_licence


def find_checkpoint(model: str, *, folder: Path | None = None, offline: bool = False) -> Checkpoint:
    """Find the files of a model.

    Args:
        model: a known name, a folder, or a Hub id (owner/name).
        folder: take the files from here, and only the name from `model`.
        offline: use only what is on this machine.

    Raises:
        UnknownModel: `model` is none of these.
        HubError: the Hub cannot give the files.
        CheckpointError: the folder is not there.
    """
    known = KNOWN_MODELS.get(model)
    if known:
        files, revision = _files_of(known, folder, offline=offline)
        return Checkpoint(files, known.name, known.hub_id or known.name, revision, known.licence)
    if folder is not None or (model and Path(model).is_dir()):
        name = Path(model).resolve().name
        return Checkpoint(_existing(folder or Path(model)), name, name)
    if not _HUB_ID.fullmatch(model):
        raise UnknownModel(model, get_close_matches(model.lower(), KNOWN_MODELS, cutoff=0.5))
    files = download(model, offline=offline)
    return Checkpoint(files, model.split("/")[1], model, revision=files.name)


def _files_of(known: KnownModel, folder: Path | None, *, offline: bool) -> tuple[Path, str | None]:
    """Return where the files of a known model are, and their revision on the Hub."""
    if folder is not None:
        return _existing(folder), None
    if known.hub_id is None:
        return known.packaged_folder, None
    files = download(known.hub_id, offline=offline)
    return files, files.name


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder")
    return folder
