"""Tokenizers from older files than tokenizer.json: BERT's vocab.txt, and the vocab.json and merges.txt of byte-level BPE."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from sentiment_edge_export.checkpoints.json_file import read_json
from sentiment_edge_export.errors import CheckpointError, shown
from sentiment_edge_runtimes.errors import first_line
from sentiment_edge_runtimes.machine.panics import panics_raised
from sentiment_edge_runtimes.tokenization.tokenizer_file import check_size

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge_export.checkpoints.tokenization.settings import TokenizerSettings

WORD_PIECES = "vocab.txt"
BYTE_LEVEL = ("vocab.json", "merges.txt")
_HEADING = "#version"
_SPECIAL = {"unk_token": "[UNK]", "sep_token": "[SEP]", "cls_token": "[CLS]"}
"""Pieces that every vocabulary of BERT has."""


def from_word_pieces(path: Path, settings: TokenizerSettings) -> Tokenizer:
    """Make BERT's tokenizer from its vocabulary, a piece per line; what becomes of capitals, the settings say.

    Raises:
        CheckpointError: it is no such vocabulary.
    """
    pieces = _lines(path, "not a vocabulary, a piece per line in UTF-8")
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    unknown, *ends = (settings.text_of(name) or text for name, text in _SPECIAL.items())
    if missing := [piece for piece in (unknown, *ends) if piece not in vocabulary]:
        raise CheckpointError(f"{path}: not a vocabulary of BERT, it lacks {', '.join(map(shown, missing))}")
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(*((piece, vocabulary[piece]) for piece in ends))
    return tokenizer


def assumed(path: Path, settings: TokenizerSettings) -> TokenizerSettings:
    """Return the settings of a vocab.txt of no stated class: BERT's, and capitals are kept if a piece has one.

    Raises:
        CheckpointError: it cannot be read.
    """
    pieces = _lines(path, "not a vocabulary, a piece per line in UTF-8")
    cased = any(piece != piece.lower() for piece in pieces if not piece.startswith("["))
    return replace(settings, class_name="BertTokenizer", stated={"do_lower_case": not cased, **settings.stated})


def from_byte_pieces(folder: Path, settings: TokenizerSettings) -> Tokenizer:
    """Make the byte-level tokenizer of RoBERTa, BART, GPT-2 or DeBERTa from its vocabulary and its merges.

    Raises:
        CheckpointError: these do not belong together, or the vocabulary lacks a special token.
    """
    vocabulary = read_json(folder / BYTE_LEVEL[0])
    lines = _merge_lines(folder)[1:-1]
    try:
        with panics_raised():
            merges = [(first, second) for first, second in (line.split() for line in lines if line)]
            tokenizer = Tokenizer(models.BPE(vocabulary, merges, continuing_subword_prefix="", end_of_word_suffix=""))
    except Exception as error:  # the library raises bare Exception
        files = " and ".join(BYTE_LEVEL)
        raise CheckpointError(f"{folder}: {files} are not of one tokenizer ({first_line(error)})") from error
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = _ends(folder, vocabulary, settings)
    return tokenizer


def skipped_merges(folder: Path) -> str | None:
    """Return a remark if transformers 4 skips a pair of merges.txt; it skips none in a file of the usual form.

    It takes the first line for a heading, and drops what comes after the last line end.

    Raises:
        CheckpointError: it cannot be read.
    """
    first, *rest = _merge_lines(folder)
    lost = [*([] if first.startswith(_HEADING) else ["first"]), *(["last"] if "".join(rest[-1:]) else [])]
    if not lost:
        return None
    return f"{folder}: the {' and the '.join(lost)} line of {BYTE_LEVEL[1]} counts for nothing, as in transformers 4"


def _merge_lines(folder: Path) -> list[str]:
    return _text(folder / BYTE_LEVEL[1], "not merges, a pair per line in UTF-8").split("\n")


def _ends(folder: Path, vocabulary: dict[str, Any], settings: TokenizerSettings) -> Any:  # noqa: ANN401 - a union of the library
    """Return the part that adds special tokens to a text."""
    names = ["sep_token", "cls_token"] if settings.group.special_at_ends else []
    if not names and settings.stated.get("add_bos_token"):
        names = ["bos_token"]
    texts = [settings.text_of(name) or "" for name in names]
    known = {**vocabulary, **{token.content: index for index, token in settings.added.items()}}
    if missing := [text for text in texts if type(known.get(text)) is not int]:
        raise CheckpointError(f"{folder}: {BYTE_LEVEL[0]} lacks {', '.join(map(shown, missing))}")
    ends = [(text, known[text]) for text in texts]
    if not ends:
        return processors.ByteLevel(trim_offsets=False)
    if settings.group.special_at_ends:
        separator, start = ends
        return processors.RobertaProcessing(separator, start, trim_offsets=True, add_prefix_space=False)
    return processors.TemplateProcessing(single=f"{texts[0]}:0 $A:0", pair=None, special_tokens=ends)


def _lines(path: Path, problem: str) -> list[str]:
    return _text(path, problem).removesuffix("\n").split("\n")  # other line ends are part of a piece


def _text(path: Path, problem: str) -> str:
    try:
        check_size(path.stat().st_size)
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: {problem} ({first_line(error)})") from error
