"""A trained classifier as published: finding its files, and reading them on demand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment_edge_export.checkpoints.catalog import KNOWN_MODELS, KnownModel
from sentiment_edge_export.checkpoints.files import check_is_here, check_path, is_file
from sentiment_edge_export.checkpoints.foreign_files import check_folder, check_is_no_file
from sentiment_edge_export.checkpoints.hub import download
from sentiment_edge_export.checkpoints.json_file import read_json
from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer
from sentiment_edge_export.checkpoints.weights import read_weights
from sentiment_edge_export.errors import CheckpointError, UnknownModel
from sentiment_edge_export.options import SourceOptions

if TYPE_CHECKING:
    from torch import Tensor

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_LICENCE = re.compile(r"\A---\n.*?^license: *([\w.+-]+)", re.DOTALL | re.MULTILINE)
"""The licence in the front matter of a model card."""
_TOKENIZER = ("tokenizer.json", "*.model", "vocab.*", "merges.txt", "bpe.codes")
"""Files of a tokenizer that may be large."""
_FRONT_MATTER = 2**20
"""Characters of a model card in which its front matter ends."""
_DEFAULT_SOURCE = SourceOptions()


@dataclass(frozen=True)
class Checkpoint:
    """A folder with weights, config and tokenizer."""

    folder: Path
    name: str
    """The start of the default name of its bundle."""
    source: str
    """Its origin: a Hub id, or the name of a model or folder."""
    revision: str | None = None
    """The Hub's commit, or the version of a model that is part of this package."""
    known_licence: str | None = None
    tokenizer_source: Path | None = None
    """The tokenizer's folder or file, if it is not in the folder."""
    card: str = ""
    """A description of a model of this package, in Markdown; empty for any other."""

    @cached_property
    def config(self) -> dict[str, Any]:
        """The contents of config.json; empty if there is none."""
        return read_json(self.folder / "config.json")

    @property
    def architectures(self) -> tuple[str, ...]:
        """The classes that the config names; empty if it names none."""
        stated = self.config.get("architectures")
        return tuple(name for name in stated if isinstance(name, str)) if isinstance(stated, list) else ()

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """The tensors by name, floating-point ones as fp32."""
        return read_weights(self.folder)

    @cached_property
    def tokenizer(self) -> CheckpointTokenizer:
        """The tokenizer, from the folder unless another source was chosen."""
        source = self.tokenizer_source or self.folder
        for path in [source, *(path for pattern in _TOKENIZER for path in source.glob(pattern))]:
            check_is_here(path)
        return CheckpointTokenizer(source)

    @property
    def licence(self) -> str | None:
        """The licence of the weights: as the folder's model card says, else as known."""
        card = self.folder / "README.md"
        if not is_file(card):
            return self.known_licence
        try:
            with card.open(encoding="utf-8", errors="replace") as file:
                stated = _LICENCE.search(file.read(_FRONT_MATTER))
        except OSError as error:
            raise CheckpointError(f"{card}: cannot be read ({error.strerror})") from error
        return stated[1] if stated else self.known_licence


def find_checkpoint(model: str, source: SourceOptions = _DEFAULT_SOURCE) -> Checkpoint:
    """Find the files of a model.

    Args:
        model: a known name, a folder, or a Hub id (owner/name).
        source: folders of its files and tokenizer, if chosen, and whether to use only files on this machine.

    Raises:
        UnknownModel: `model` is none of these.
        HubError: the files cannot be downloaded.
        CheckpointError: the folder does not exist, or the system refuses to look for it.
    """
    folder, tokenizer = (None if given is None else Path(given) for given in (source.checkpoint, source.tokenizer))
    for path in (Path(model), folder, tokenizer):
        if path is not None:
            check_path(path)
    known = KNOWN_MODELS.get(model)
    if known:
        files, revision = _find_known(known, folder, offline=source.offline)
        card = known.card if folder is None else ""
        return Checkpoint(files, known.name, known.hub_id or known.name, revision, known.licence, tokenizer, card)
    if folder is not None or (model and Path(model).is_dir()):
        name = Path(model).resolve().name
        return Checkpoint(_existing(folder or Path(model)), name, name, tokenizer_source=tokenizer)
    if model:
        check_is_no_file(Path(model))
    if not _HUB_ID.fullmatch(model):
        raise UnknownModel(model, get_close_matches(model.lower(), KNOWN_MODELS, cutoff=0.5))
    files = download(model, offline=source.offline)
    return Checkpoint(files, model.split("/")[1], model, revision=files.name, tokenizer_source=tokenizer)


def _find_known(known: KnownModel, folder: Path | None, *, offline: bool) -> tuple[Path, str | None]:
    """Return the folder of a known model's files, and their revision."""
    if folder is not None:
        return _existing(folder), None
    if known.hub_id is None:
        return known.packaged_folder, known.version
    files = download(known.hub_id, offline=offline)
    return files, files.name


def _existing(folder: Path) -> Path:
    check_is_no_file(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder")
    check_folder(folder)
    return folder
