"""The classes of transformers whose vocabulary is a SentencePiece model: their special tokens, and where its pieces stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tokenizers import AddedToken

from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import NORMAL, USER_DEFINED
from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import SentencePieceModel
    from sentiment_edge_export.checkpoints.tokenization.settings import TokenizerSettings

_ATTRIBUTES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_ADDITIONAL = "additional_special_tokens"
_FAIRSEQ = ("<s>", "<pad>", "</s>", "<unk>")
"""Tokens before the pieces in fairseq's dictionaries."""
_OFFSETS = {"plain": 0, "fairseq": 1, "camembert": 4}
_CAMEMBERT = ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED")
_BRACKETS = {"sep_token": "[SEP]", "cls_token": "[CLS]", "mask_token": "[MASK]"}
_ANGLES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
_ROBERTA = {**_ANGLES, "sep_token": "</s>", "cls_token": "<s>", "mask_token": "<mask>"}


class PieceClass(NamedTuple):
    """A class of tokenizers."""

    tokens: Mapping[str, str]
    """Special tokens by their names."""
    before: tuple[str, ...] = ("cls_token",)
    """Tokens before a text."""
    after: tuple[str, ...] = ("sep_token",)
    layout: Literal["plain", "fairseq", "camembert"] = "plain"
    greedy_mask: bool = True
    """Whether the mask token takes the spaces before it."""
    lowers: bool | None = False
    """Whether it drops capitals if no file says so; None where it cannot."""
    keeps_accents: bool | None = None
    """Whether it keeps accents if no file says so; None where it always does."""
    additional: tuple[str, ...] = ()


CLASSES = {
    "XLMRobertaTokenizer": PieceClass(_ROBERTA, layout="fairseq", lowers=None),
    "CamembertTokenizer": PieceClass(
        _ROBERTA, layout="camembert", lowers=None, additional=("<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED")
    ),
    "AlbertTokenizer": PieceClass(
        {**_BRACKETS, "bos_token": "[CLS]", "eos_token": "[SEP]", "unk_token": "<unk>", "pad_token": "<pad>"},
        lowers=True,
        keeps_accents=False,
    ),
    "XLNetTokenizer": PieceClass(
        {**_ANGLES, "sep_token": "<sep>", "cls_token": "<cls>", "mask_token": "<mask>"},
        before=(),
        after=("sep_token", "cls_token"),
        keeps_accents=False,
        additional=("<eop>", "<eod>"),
    ),
    "DebertaV2Tokenizer": PieceClass(
        {**_BRACKETS, "bos_token": "[CLS]", "eos_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]"},
        greedy_mask=False,
    ),
    "BigBirdTokenizer": PieceClass({**_ANGLES, **_BRACKETS}, lowers=None),
    "FNetTokenizer": PieceClass({**_BRACKETS, "unk_token": "<unk>", "pad_token": "<pad>"}, keeps_accents=True),
    "RemBertTokenizer": PieceClass(
        {**_BRACKETS, "bos_token": "[CLS]", "eos_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]"}
    ),
}
"""The classes by their names."""


class Layout(NamedTuple):
    """Where pieces and special tokens stand in the model's vocabulary."""

    places: Mapping[int, int]
    """Token ids of the pieces that a text may have, by the pieces' numbers."""
    unknown: int
    """The token of unknown characters."""
    reserved: Mapping[int, str]
    """Texts of all other tokens by their ids."""
    offset: int
    """The difference between a piece's token id and its number."""
    added: Mapping[str, int]
    """Tokens that are found in a text as they are, with their ids."""
    flags: Mapping[str, AddedToken]
    """Those of them that take spaces at their sides, or are found between spaces only."""
    before: tuple[str, ...]
    """Tokens put before a text."""
    after: tuple[str, ...]


def lay_out(model: SentencePieceModel, kind: PieceClass, settings: TokenizerSettings) -> Layout:
    """Place the pieces and the special tokens as the class does.

    Raises:
        CheckpointError: the model's file does not fit the class, or the settings not each other.
    """
    names = _token_names(kind, settings)
    ids = _vocabulary(model, kind, settings)
    added: dict[str, int] = {token: ids[token] for token in _CAMEMBERT} if kind.layout == "camembert" else {}
    added |= {token.content: index for index, token in settings.added.items()}
    known = {**ids, **added}
    count = len(known)
    for token in names.values():
        if token not in added:
            added[token] = known.setdefault(token, count)
            count = len(known)
    places = {number: ids[piece.text] for number, piece in enumerate(model.pieces) if piece.kind in (NORMAL, USER_DEFINED)}
    pieces = {*places.values()}
    reserved = {index: text for text, index in {**ids, **added}.items() if index not in pieces}
    if any(added.get(model.pieces[number].text, index) != index for number, index in places.items()):
        raise CheckpointError(f"{settings.folder}: an added token has another id than the piece of the same text")
    try:
        before, after = (tuple(names[name] for name in side) for side in (kind.before, kind.after))
    except KeyError as error:
        raise CheckpointError(f"{settings.folder}: the settings take {error.args[0]} away, which every text needs") from error
    unknown = model.unknown if kind.layout == "plain" else known[names["unk_token"]]
    return Layout(places, unknown, reserved, _OFFSETS[kind.layout], added, _flags(kind, settings, names), before, after)


def _flags(kind: PieceClass, settings: TokenizerSettings, names: Mapping[str, str]) -> dict[str, AddedToken]:
    """Return the added tokens that are not plain."""
    tokens = (*settings.special_tokens().values(), *settings.added.values())
    found = {token.content: token for token in tokens if isinstance(token, AddedToken)}
    mask, stated = names.get("mask_token"), settings.stated.get("mask_token")
    if isinstance(stated, dict):
        found[str(mask)] = AddedToken(str(mask), lstrip=stated.get("lstrip") is True, rstrip=stated.get("rstrip") is True)
    elif mask and not (settings.lists_added and mask in found):
        found[mask] = AddedToken(mask, lstrip=kind.greedy_mask)
    return found


def _token_names(kind: PieceClass, settings: TokenizerSettings) -> dict[str, str]:
    """Return the special tokens by their names, unnamed ones last."""
    found = {}
    for name in _ATTRIBUTES:
        value = settings.stated[name] if name in settings.stated else kind.tokens.get(name)
        if text := _text(value):
            found[name] = text
    stated = isinstance(settings.stated.get(_ADDITIONAL), list)
    additional: Sequence[Any] = [*(() if stated else kind.additional), *settings.more_tokens()]
    return {**found, **{f"{_ADDITIONAL} {index}": text for index, value in enumerate(additional) if (text := _text(value))}}


def _text(value: object) -> str | None:
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) and text else None


def _vocabulary(model: SentencePieceModel, kind: PieceClass, settings: TokenizerSettings) -> dict[str, int]:
    """Return the ids of all pieces, and of what the class puts before them."""
    texts = [piece.text for piece in model.pieces]
    if kind.layout == "plain":
        return {text: index for index, text in enumerate(texts)}
    start, skipped = (_FAIRSEQ, 3) if kind.layout == "fairseq" else (_CAMEMBERT, 1)
    if (
        model.unknown != 0
        or (kind.layout == "fairseq" and texts[1:3] != ["<s>", "</s>"])
        or {*start, "<mask>"} & {*texts[skipped:]}
    ):
        raise CheckpointError(
            f"{settings.folder}: the first pieces are {texts[:3]}, not those that the tokenizer's class expects"
        )
    end = ("<mask>",) if kind.layout == "fairseq" else ()
    return {text: index for index, text in enumerate((*start, *texts[skipped:], *end))}
