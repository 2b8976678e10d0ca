"""Word-level BPE: `vocab.txt` and `bpe.codes`, as PhoBERT and BERTweet have them.

A piece within a word is written with `@@` at its end. A merge may make a piece that the vocabulary lacks, which the tokenizer's
class takes for unknown; the library's model needs an id for it, and so it gets one after all others: `copies` tells
whose embedding these ids have.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing

from sentiment_edge_export.checkpoints.tokenization.pieces.character_rules import characters
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sentiment_edge_export.checkpoints.tokenization.settings import TokenizerSettings

VOCABULARY, MERGES = "vocab.txt", "bpe.codes"
_LARGEST = 64 * 2**20
_END, _WITHIN = "</w>", "@@"
_SPECIAL = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
"""The first tokens, in the order of their ids."""
_MORE = {"sep_token": "</s>", "cls_token": "<s>", "mask_token": "<mask>"}
_CLEANED = (
    "its class cleans tweets by Python code (user names, links, emoji in words), which no tokenizer.json can do; if the "
    'model was trained on texts without that, write "normalization": false into tokenizer_config.json'
)


class WordBpe(NamedTuple):
    """A tokenizer of words, split into pieces by merges."""

    library: Tokenizer
    ids: Mapping[str, int]
    """Token ids by the names of pieces, special tokens included."""
    added: Mapping[str, int]
    """Tokens that are found in a text as they are."""
    copies: Mapping[int, int]
    """Ids beyond the vocabulary, and the tokens that they stand for."""
    ends: tuple[str, str]
    """The tokens before and after a text."""


def build_word_bpe(settings: TokenizerSettings) -> WordBpe:
    """Build the tokenizer of a folder.

    Raises:
        CheckpointError: a file cannot be read, or no tokenizer.json can have the same tokens.
    """
    if settings.switch("normalization", default=False):
        raise CheckpointError(f"{settings.folder}: the tokenizer cannot be exported: {_CLEANED}")
    names = {name: settings.text_of(name) or default for name, default in (_SPECIAL | _MORE).items()}
    ids = _read_vocabulary(settings.folder / VOCABULARY, [names[name] for name in _SPECIAL])
    merges = _read_merges(settings.folder / MERGES)
    added = {token.content: index for index, token in settings.added.items()}
    known = ids | added
    for token in names.values():
        added.setdefault(token, known.setdefault(token, len(known)))
    vocabulary, copies = _library_vocabulary(known | added, added, merges, names["unk_token"])
    found = {_name(text): index for text, index in vocabulary.items() if index in copies}
    model = BPE(vocabulary, merges, unk_token=names["unk_token"], end_of_word_suffix=_END, fuse_unk=False)
    ends = (names["cls_token"], names["sep_token"])
    return WordBpe(_assembled(model, added, ends), found | known, added, copies, ends)


def _assembled(model: BPE, added: Mapping[str, int], ends: tuple[str, str]) -> Tokenizer:
    tokenizer = Tokenizer(model)
    spaces = characters(filter(str.isspace, map(chr, range(sys.maxunicode + 1))))
    tokenizer.pre_tokenizer = Split(Regex(f"[^{spaces[1:]}+\\n?"), "removed", invert=True)
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=True) for token in added])
    tokenizer.post_processor = TemplateProcessing(
        single=[ends[0], "$A", ends[1]], special_tokens=[(token, added[token]) for token in {*ends}]
    )
    return tokenizer


def _library_vocabulary(
    known: Mapping[str, int], added: Mapping[str, int], merges: Iterable[tuple[str, str]], unknown: str
) -> tuple[dict[str, int], dict[int, int]]:
    """Return the library's vocabulary, and which of its ids stand for others."""
    vocabulary = {name if name in added else _text(name): index for name, index in known.items()}
    size = 1 + max(known.values())
    copies: dict[int, int] = {}
    for text in (text for left, right in merges for text in (left, right, left + right)):
        if text not in vocabulary:
            vocabulary[text] = size + len(copies)
            copies[vocabulary[text]] = known.get(_name(text), known[unknown])
    return vocabulary, copies


def _text(name: str) -> str:
    """Return a piece as the library writes it, by its name in the vocabulary."""
    return name.removesuffix(_WITHIN) if name.endswith(_WITHIN) and name != _WITHIN else name + _END


def _name(text: str) -> str:
    """Return the name of a piece in the vocabulary."""
    return text.removesuffix(_END) if text.endswith(_END) else text + _WITHIN


def _read_vocabulary(path: Path, first: Iterable[str]) -> dict[str, int]:
    """Read a vocabulary: a piece and how often it was found on each line."""
    lines = _read(path).split("\n")
    words = [*first, *(line.strip().rpartition(" ")[0] for line in (lines[:-1] if not lines[-1] else lines))]
    if len({*words}) < len(words) or "" in words:
        raise CheckpointError(f"{path}: not a vocabulary of word-level BPE: each line holds another piece and its count")
    return {word: index for index, word in enumerate(words)}


def _read_merges(path: Path) -> list[tuple[str, str]]:
    """Read the pairs that are merged, the first ones first; each must be made of what pairs before it made."""
    fields = [line.split()[:-1] for line in _read(path).split("\n")[:-1]]
    pairs = {(pair[0], pair[1]): rank for rank, pair in enumerate(fields) if len(pair) == 2}  # noqa: PLR2004
    merges = sorted(pairs, key=pairs.__getitem__)
    made: set[str] = set()
    for pair in merges:
        if any(len(part.removesuffix(_END)) > 1 and part not in made for part in pair):
            raise CheckpointError(
                f"{path}: {' '.join(pair)} merges what no line before it makes; such merges cannot be exported"
            )
        made.add("".join(pair))
    return merges


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise CheckpointError(f"{path}: larger than {_LARGEST // 2**20} MiB, as no such file is")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: cannot be read ({first_line(error)})") from error
