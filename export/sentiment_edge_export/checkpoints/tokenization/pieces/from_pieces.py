"""A folder's tokenizer, made of its pieces."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_export.checkpoints.tokenization.pieces.building import build
from sentiment_edge_export.checkpoints.tokenization.pieces.character_rules import NotExact
from sentiment_edge_export.checkpoints.tokenization.pieces.classes import CLASSES, PieceClass, lay_out
from sentiment_edge_export.checkpoints.tokenization.pieces.preprocessing import preprocessing
from sentiment_edge_export.checkpoints.tokenization.pieces.remarks import Remarks, without_digit_commas
from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import read_model
from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_reference import sentencepiece_reference
from sentiment_edge_export.checkpoints.tokenization.pieces.word_bpe import MERGES, VOCABULARY, build_word_bpe
from sentiment_edge_export.checkpoints.tokenization.pieces.word_bpe_reference import word_bpe_reference
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.tokenization.tokenizer_file import parse_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tokenizers import Tokenizer

    from sentiment_edge_export.checkpoints.tokenization.reference import TokenizerReference
    from sentiment_edge_export.checkpoints.tokenization.settings import TokenizerSettings

_WORD_BPE = ("PhobertTokenizer", "BertweetTokenizer")
_FILES = ("sentencepiece.bpe.model", "spiece.model", "spm.model", "sentencepiece.model", "tokenizer.model")


class BuiltTokenizer(NamedTuple):
    """A tokenizer that was made of pieces."""

    library: Tokenizer
    reference: TokenizerReference
    notes: tuple[str, ...]
    """Texts whose tokens may differ from the reference, a sentence each."""
    copies: Mapping[int, int] = MappingProxyType({})
    """Ids beyond those of the model, and the tokens whose embeddings they must get."""


def build_from_pieces(settings: TokenizerSettings) -> BuiltTokenizer | None:
    """Make a folder's tokenizer of its pieces; None if it has none, or its class is not among those known here.

    Raises:
        CheckpointError: the pieces cannot be read, or no tokenizer.json can have their tokens.
        TokenizerFault: the runtime would refuse what comes of them.
    """
    if settings.class_name in _WORD_BPE and (settings.folder / MERGES).is_file() and (settings.folder / VOCABULARY).is_file():
        words = build_word_bpe(settings)
        library = parse_tokenizer(words.library.to_str().encode())
        return BuiltTokenizer(library, word_bpe_reference(settings, words), (), words.copies)
    path, kind = _found(settings)
    return _from_sentencepiece(path, kind, settings) if path and kind else None


def reference_from_pieces(settings: TokenizerSettings) -> TokenizerReference | None:
    """Return SentencePiece's own tokenizer of a folder; None where `build_from_pieces` gives none.

    Raises:
        CheckpointError: the pieces cannot be read.
    """
    path, kind = _found(settings)
    if path is None or kind is None:
        return None
    model = read_model(path)
    prepare = preprocessing(kind, settings)
    return sentencepiece_reference(model, lay_out(model, kind, settings), prepare, str(settings.class_name))


def _found(settings: TokenizerSettings) -> tuple[Path | None, PieceClass | None]:
    path = next((settings.folder / name for name in _FILES if (settings.folder / name).is_file()), None)
    return path, CLASSES.get(settings.class_name or "")


def _from_sentencepiece(path: Path, kind: PieceClass, settings: TokenizerSettings) -> BuiltTokenizer:
    for name in ("split_by_punct", "sp_model_kwargs"):
        if settings.stated.get(name):
            raise CheckpointError(f"{settings.folder}: {name} in tokenizer_config.json cannot be followed by a tokenizer.json")
    model = read_model(path)
    layout = lay_out(model, kind, settings)
    prepare = preprocessing(kind, settings)
    follows = without_digit_commas(layout, model) if prepare.cleans else layout
    try:
        contents = build(model, follows, prepare.normalizers()).to_str().encode()
    except NotExact as error:
        raise CheckpointError(f"{path}: no tokenizer.json can follow {error}") from error
    library = parse_tokenizer(contents)
    reference = sentencepiece_reference(model, layout, prepare, str(settings.class_name))
    remarks = Remarks(model, layout, prepare, lambda text: list(library.encode(text).ids), reference.ids)
    return BuiltTokenizer(library, reference._replace(named=remarks.named), remarks.notes())
