"""Settings of a tokenizer in the files beside tokenizer.json, as transformers reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken

from sentiment_edge_export.checkpoints.json_file import read_json
from sentiment_edge_export.checkpoints.tokenization.classes import ClassGroup, group_of
from sentiment_edge_export.errors import CheckpointError, shown

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from pathlib import Path

CONFIG = "tokenizer_config.json"
_SPECIAL_TOKENS_MAP, _ADDED_TOKENS = "special_tokens_map.json", "added_tokens.json"
_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_ADDITIONAL = "additional_special_tokens"
_MORE = (_ADDITIONAL, "extra_special_tokens")
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
_FAST = "Fast"
_BEFORE_5 = {"nystromformer": "AlbertTokenizer", "xlm-roberta-xl": "XLMRobertaTokenizer"}
"""Classes of types of models for which release 5 has none."""


@dataclass(frozen=True)
class TokenizerSettings:
    """The settings that transformers applies to a tokenizer, whatever its tokenizer.json says."""

    folder: Path
    class_name: str | None
    """The tokenizer's class without `Fast`; None if no file tells it."""
    stated: Mapping[str, Any]
    """The entries of tokenizer_config.json, with the special tokens of special_tokens_map.json in older folders."""
    added: Mapping[int, AddedToken]
    """Tokens that are added to the vocabulary, by their ids."""
    lists_added: bool = True
    """Whether tokenizer_config.json lists all added tokens, as it does since 2023."""

    @property
    def group(self) -> ClassGroup:
        """The settings that the class has, and their defaults."""
        return group_of(self.class_name)

    def switch(self, name: str, default: bool | None) -> bool | None:  # noqa: FBT001 - a setting's value
        """Return a setting that is on, off or (None) left open; the default if it is not stated.

        Raises:
            CheckpointError: it is stated and none of these.
        """
        value = self.stated.get(name, default)
        if value is not None and type(value) is not bool:
            raise CheckpointError(f"{self.folder / CONFIG}: {name} is {value!r:.60}, not true or false")
        return value

    def special_tokens(self, known: Iterable[AddedToken] = ()) -> dict[str, AddedToken | str]:
        """Return the special tokens by their names, those of the class where no file states them, then unnamed ones.

        Args:
            known: the added tokens in tokenizer.json.
        """
        greedy = self.group.greedy_mask
        added = {token.content: token for token in (*(() if self.lists_added else known), *self.added.values())}
        found: dict[str, AddedToken | str] = {}
        for name in _NAMED:
            token = _token(self.stated.get(name), added) or self.group.tokens.get(name)
            if greedy and name == "mask_token" and isinstance(token, str):
                token = AddedToken(token, lstrip=True, normalized=False)
            if token is not None:
                found[name] = token
        more = [_token(value, added) for value in self.more_tokens()]
        return {**found, **{f"additional {index}": token for index, token in enumerate(more) if token}}

    def more_tokens(self) -> list[Any]:
        """Return the entries of special tokens without a usual name: lists, or objects that give them names of their own."""
        return [value for name in _MORE for value in _items(self.stated.get(name))]

    def more_texts(self) -> set[str]:
        """Return the texts of these tokens."""
        tokens = (_token(value, {}) for value in self.more_tokens())
        return {token.content if isinstance(token, AddedToken) else token for token in tokens if token}

    def absent_tokens(self, vocabulary: Container[str]) -> list[str]:
        """Return the special tokens of the class that no file states and the vocabulary lacks."""
        return [text for name in _NAMED if not self.is_stated(name) and (text := self.text_of(name)) and text not in vocabulary]

    def is_stated(self, name: str) -> bool:
        """Tell whether a file states a special token, by its name."""
        return name not in _NAMED or self.stated.get(name) is not None

    def text_of(self, name: str) -> str | None:
        """Return the text of a special token, by its name."""
        token = self.special_tokens().get(name)
        return token.content if isinstance(token, AddedToken) else token


def read_settings(folder: Path) -> TokenizerSettings:
    """Return the settings in a tokenizer's folder.

    Raises:
        CheckpointError: a file cannot be read, or holds what transformers would not read.
    """
    config = read_json(folder / CONFIG)
    stated = {**config}
    added = _listed(folder, config.get("added_tokens_decoder"))
    if "added_tokens_decoder" not in config:  # folders of before 2023
        older = read_json(folder / _SPECIAL_TOKENS_MAP)
        lists = [*_items(stated.get(_ADDITIONAL)), *_items(older.get(_ADDITIONAL))]  # both count, unlike with single tokens
        stated |= older | ({_ADDITIONAL: lists} if lists else {})
        added = _older(folder, stated)
    return TokenizerSettings(folder, _class_name(folder, config), stated, added, "added_tokens_decoder" in config)


def _class_name(folder: Path, config: Mapping[str, Any]) -> str | None:
    model = read_json(folder / "config.json")
    name = config.get("tokenizer_class") or model.get("tokenizer_class")
    if name is None and isinstance(model.get("model_type"), str):
        from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES  # noqa: PLC0415 - takes a second

        name = _BEFORE_5.get(model["model_type"]) or TOKENIZER_MAPPING_NAMES.get(model["model_type"])
    return name.removesuffix(_FAST) if isinstance(name, str) else None


def _listed(folder: Path, entries: object) -> dict[int, AddedToken]:
    """Return the tokens of `added_tokens_decoder`."""
    path = folder / CONFIG
    if entries is not None and not isinstance(entries, dict):
        raise CheckpointError(f"{path}: added_tokens_decoder is not a JSON object")
    found = {}
    for index, entry in (entries or {}).items():
        token = _added_token(entry) if isinstance(entry, dict) else None
        if token is None or not index.isdecimal():
            raise CheckpointError(f"{path}: no token in added_tokens_decoder at {shown(index)}")
        found[int(index)] = token
    return found


def _older(folder: Path, stated: Mapping[str, Any]) -> dict[int, AddedToken]:
    """Return the tokens of added_tokens.json; those that are named as special tokens are special."""
    path = folder / _ADDED_TOKENS
    names = [stated.get(name) for name in _NAMED] + [name for key in _MORE for name in _items(stated.get(key))]
    special = {name.get("content") if isinstance(name, dict) else name for name in names if isinstance(name, dict | str)}
    found = {}
    for text, index in read_json(path).items():
        if type(index) is not int or not text:
            raise CheckpointError(f"{path}: {shown(text)} has no number")
        found[index] = AddedToken(text, normalized=text not in special, special=text in special)
    return found


def _token(value: object, added: Mapping[str, AddedToken]) -> AddedToken | str | None:
    """Return a token as its entry states it; the added token of the same text, if there is one."""
    token = _added_token(value) if isinstance(value, dict) else value
    if not isinstance(token, AddedToken | str) or not str(token):
        return None
    return added.get(token.content if isinstance(token, AddedToken) else token, token)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else [*value.values()] if isinstance(value, dict) else []


def _added_token(entry: Mapping[str, Any]) -> AddedToken | None:
    content = entry.get("content")
    if not isinstance(content, str) or not content:
        return None
    return AddedToken(content, **{name: entry[name] for name in _FLAGS if type(entry.get(name)) is bool})
