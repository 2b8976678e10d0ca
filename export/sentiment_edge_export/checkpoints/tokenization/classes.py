"""transformers' tokenizer classes, in groups that treat their settings alike, as its releases of 2020 to 2025 (4.x) do."""

from __future__ import annotations

from typing import Literal, NamedTuple

_BRACKETS = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"}
_ANGLES = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}
_END_OF_TEXT = "<|endoftext|>"


class ClassGroup(NamedTuple):
    """The common traits of a group of classes."""

    form: Literal["word-pieces", "byte-level", "other"]
    """Word pieces have BERT's settings: case, accents, Chinese characters. Byte-level classes may put a space before a text."""
    tokens: dict[str, str]
    """Special tokens where no file states them."""
    greedy_mask: bool = False
    """Whether the mask token takes the spaces before it."""
    special_at_ends: bool = True
    """Whether a text gets special tokens at its start and its end."""


_GROUPS: dict[tuple[str, ...], ClassGroup] = {
    (
        "Bert",
        "ConvBert",
        "DistilBert",
        "Electra",
        "LayoutLM",
        "Lxmert",
        "MobileBert",
        "Realm",
        "RetriBert",
        "Splinter",
        "SqueezeBert",
    ): ClassGroup("word-pieces", _BRACKETS),
    ("MPNet",): ClassGroup("word-pieces", {**_ANGLES, "unk_token": "[UNK]"}, greedy_mask=True),
    ("Bart", "LED", "Longformer", "Mvp", "Roberta"): ClassGroup("byte-level", _ANGLES, greedy_mask=True),
    ("Deberta",): ClassGroup("byte-level", {"bos_token": "[CLS]", "eos_token": "[SEP]", **_BRACKETS}, greedy_mask=True),
    ("GPT2",): ClassGroup(
        "byte-level", dict.fromkeys(("unk_token", "bos_token", "eos_token"), _END_OF_TEXT), special_at_ends=False
    ),
}
_OTHER = ClassGroup("other", {})
_BY_CLASS = {f"{name}Tokenizer": group for names, group in _GROUPS.items() for name in names}
NO_FAST_FORM = {
    "BertJapaneseTokenizer": "it splits Japanese into words by a program of its own",
    "CanineTokenizer": "it reads characters by their numbers",
    "CTRLTokenizer": "it is Python only",
    "EsmTokenizer": "it reads proteins, by Python code",
    "FlaubertTokenizer": "it splits words by Moses' rules, in Python",
    "LukeTokenizer": "it reads entities beside words",
    "MLukeTokenizer": "it reads entities beside words",
    "RoFormerTokenizer": "it splits Chinese into words by the library rjieba",
    "RoCBertTokenizer": "it reads shapes and sounds of characters beside them",
    "TapasTokenizer": "it reads tables",
    "XLMTokenizer": "it splits words by Moses' rules, in Python",
}
"""Classes of transformers that no tokenizer.json can stand for, and why."""


def group_of(name: str | None) -> ClassGroup:
    """Return the group of a class, by its name without `Fast`."""
    return _BY_CLASS.get(name or "", _OTHER)
