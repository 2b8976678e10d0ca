"""A tokenizer's folder: its tokenizer.json with the settings beside it, or one made of older files."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_export.checkpoints.json_file import read_json
from sentiment_edge_export.checkpoints.remote_code import check_needs_no_code
from sentiment_edge_export.checkpoints.tokenization.classes import NO_FAST_FORM, group_of
from sentiment_edge_export.checkpoints.tokenization.overriding import keeps_prefix, lowercases_unasked, with_settings
from sentiment_edge_export.checkpoints.tokenization.pieces.from_pieces import build_from_pieces, reference_from_pieces
from sentiment_edge_export.checkpoints.tokenization.reference import TokenizerReference, shape_of, transformers_reference
from sentiment_edge_export.checkpoints.tokenization.settings import CONFIG, TokenizerSettings, read_settings
from sentiment_edge_export.checkpoints.tokenization.vocabularies import (
    BYTE_LEVEL,
    WORD_PIECES,
    assumed,
    from_byte_pieces,
    from_word_pieces,
    skipped_merges,
)
from sentiment_edge_export.errors import CheckpointError, shown
from sentiment_edge_runtimes.errors import first_line
from sentiment_edge_runtimes.tokenization.tokenizer_file import TokenizerFault, check_size, parse_tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tokenizers import Tokenizer

_FILE = "tokenizer.json"
_MODEL_CONFIG = "config.json"
_OLDER = ("vocab.txt", "vocab.json", "merges.txt", "*.model")
_AUTO = "AutoTokenizer"
_TWO_FILES = "tokenizer.json counts, as in transformers, where the SentencePiece model beside it would read otherwise"
_CAPITALS = (
    "{}: nothing states whether the tokenizer keeps capitals, so it drops them, as in transformers, though the vocabulary has "
    'some; if the model was trained with capitals, write "do_lower_case": false into tokenizer_config.json'
)
_PREFIX = (
    "{}: texts begin with a space, as tokenizer.json says; transformers 4.57 drops it unless tokenizer_config.json has "
    '"add_prefix_space": true; if the model was trained so, write false there'
)


class ReadTokenizer(NamedTuple):
    """A tokenizer, read from a folder or a file."""

    library: Tokenizer
    reference: TokenizerReference | None = None
    """Another implementation of it, where there is one."""
    notes: tuple[str, ...] = ()
    """Remarks for the user, a sentence each."""
    rebuilt: bool = False
    """Whether it was made of older files, for lack of a tokenizer.json."""
    cuts_start: bool = False
    """Whether long texts are cut at their start."""
    copies: Mapping[int, int] = MappingProxyType({})
    """Ids beyond those of the model, and the tokens whose embeddings they must get."""


def read_folder(folder: Path) -> ReadTokenizer:
    """Read the tokenizer in a folder.

    Raises:
        CheckpointError: there is none, or it cannot be read, or it is code.
        TokenizerFault: it, or what the settings make of it, cannot be used.
    """
    given, vocabulary = folder / _FILE, folder / WORD_PIECES
    settings = read_settings(folder)
    if settings.class_name is None and vocabulary.is_file() and not given.is_file():
        settings = assumed(vocabulary, settings)
    if given.is_file():
        library = read_file(given)
    else:
        _check_is_no_code(folder, settings)
        if built := build_from_pieces(settings):
            return ReadTokenizer(built.library, built.reference, built.notes, rebuilt=True, copies=built.copies)
        library = _from_older_files(folder, settings)
    shape, unusual = shape_of(library), None
    if not given.is_file() and settings.group.form == "byte-level":
        unusual = skipped_merges(folder)
    library = with_settings(library, settings)
    reference = transformers_reference(settings, shape) if shape and not unusual else None
    return ReadTokenizer(
        library,
        reference or _pieces_beside(settings),
        (*_notes(library, settings), *([unusual] if unusual else [])),
        rebuilt=not given.is_file(),
    )


def read_file(path: Path) -> Tokenizer:
    """Read a tokenizer.json, or BERT's vocab.txt.

    Raises:
        CheckpointError: it is neither.
        TokenizerFault: what was made of it cannot be used.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such tokenizer; give a folder, a tokenizer.json or a vocab.txt")
    if path.suffix == ".txt":
        settings = assumed(path, TokenizerSettings(path.parent, None, {}, {}))
        return with_settings(_checked(from_word_pieces(path, settings)), settings)
    try:
        check_size(path.stat().st_size)
        return parse_tokenizer(path.read_bytes())
    except (OSError, TokenizerFault) as error:
        raise CheckpointError(f"{path}: not a tokenizer ({first_line(error)})") from error


def _from_older_files(folder: Path, settings: TokenizerSettings) -> Tokenizer:
    """Make a tokenizer of the files that its class has instead of tokenizer.json.

    transformers 5 would convert more of them, but not to the ids of the releases that such models were trained with.
    """
    name, form = settings.class_name, settings.group.form
    if name in NO_FAST_FORM:
        raise CheckpointError(f"{folder}: no tokenizer.json can have the tokens of {name}: {NO_FAST_FORM[name]}")
    if (folder / WORD_PIECES).is_file() and form == "word-pieces":
        return _checked(from_word_pieces(folder / WORD_PIECES, settings))
    if form == "byte-level" and all((folder / file).is_file() for file in BYTE_LEVEL):
        return _checked(from_byte_pieces(folder, settings))
    if name and any(found for pattern in _OLDER for found in folder.glob(pattern)):
        raise CheckpointError(
            f"{folder}: no tokenizer.json, and the older files here are not those of {shown(name)}; load the tokenizer in the "
            "release of transformers that the model was trained with, and save it here by `save_pretrained`"
        )
    raise CheckpointError(f"{folder}: no tokenizer.json; give the tokenizer that the model was trained with by `tokenizer`")


def _notes(library: Tokenizer, settings: TokenizerSettings) -> Iterator[str]:
    if lowercases_unasked(library, settings):
        yield _CAPITALS.format(settings.folder)
    if keeps_prefix(library, settings):
        yield _PREFIX.format(settings.folder)
    yield from _code_beside(settings.folder, settings)


def _pieces_beside(settings: TokenizerSettings) -> TokenizerReference | None:
    """Return the tokenizer of a SentencePiece model beside tokenizer.json, if there is one that can be read.

    Where they differ, tokenizer.json counts: the releases that models were trained with read it where there is one.
    """
    try:
        reference = reference_from_pieces(settings)
    except CheckpointError:
        return None
    return reference and reference._replace(named=lambda _: _TWO_FILES)


def _checked(tokenizer: Tokenizer) -> Tokenizer:
    """Return the tokenizer as the runtime will read it."""
    return parse_tokenizer(tokenizer.to_str().encode())


def _check_is_no_code(folder: Path, settings: TokenizerSettings) -> None:
    """Check that the tokenizer is none that transformers would run code for.

    Raises:
        CheckpointError: it is.
    """
    for name in (CONFIG, _MODEL_CONFIG):
        stated = read_json(folder / name)
        if name == CONFIG or isinstance(stated.get("auto_map"), dict):
            check_needs_no_code(folder / name, stated, _AUTO, _is_known)
    if settings.class_name and not _is_known(settings.class_name):
        check_needs_no_code(folder / CONFIG, {"auto_map": {_AUTO: settings.class_name}}, _AUTO, _is_known)


def _code_beside(folder: Path, settings: TokenizerSettings) -> list[str]:
    """Return a remark where the tokenizer is code and its tokenizer.json is taken instead."""
    try:
        _check_is_no_code(folder, settings)
    except CheckpointError:
        return [f"{folder}: the tokenizer is Python code, which an export never runs; its tokenizer.json was taken as it is"]
    return []


def _is_known(name: str) -> bool:
    from transformers.models.auto.tokenization_auto import tokenizer_class_from_name  # noqa: PLC0415 - takes a second

    return group_of(name.removesuffix("Fast")).form != "other" or tokenizer_class_from_name(name) is not None
