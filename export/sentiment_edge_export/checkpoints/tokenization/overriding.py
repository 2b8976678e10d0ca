"""Changes that the files beside tokenizer.json make to it, as transformers' classes do when they load it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken

from sentiment_edge_export.checkpoints.tokenization.settings import CONFIG
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_runtimes.tokenization.tokenizer_file import parse_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from sentiment_edge_export.checkpoints.tokenization.settings import TokenizerSettings

_WORDS = "BertNormalizer"
_BYTES = "ByteLevel"


def with_settings(tokenizer: Tokenizer, settings: TokenizerSettings) -> Tokenizer:
    """Return the tokenizer with the settings of its folder.

    Raises:
        CheckpointError: a setting has no form in a tokenizer.json, or is none.
    """
    if settings.stated.get("split_special_tokens"):
        raise CheckpointError(
            f"{settings.folder / CONFIG}: split_special_tokens is set, which a tokenizer.json cannot say; "
            "give the tokenizer as it should be as a tokenizer.json by `tokenizer`"
        )
    parts: dict[str, Any] = json.loads(tokenizer.to_str())
    changed = {**parts, **_words(parts, settings), **_spaces(parts, settings)}
    if changed != parts:
        tokenizer = parse_tokenizer(json.dumps(changed, ensure_ascii=False).encode())
    _add_tokens(tokenizer, settings)
    return tokenizer


def lowercases_unasked(tokenizer: Tokenizer, settings: TokenizerSettings) -> bool:
    """Tell whether letters lose their case by the class's default only, though the vocabulary has capitals."""
    if settings.group.form != "word-pieces" or settings.stated.get("do_lower_case") is not None:
        return False
    return any(piece != piece.lower() for piece in tokenizer.get_vocab(with_added_tokens=False) if piece[:1] not in "[<")


def keeps_prefix(tokenizer: Tokenizer, settings: TokenizerSettings) -> bool:
    """Tell whether a text begins with a space by tokenizer.json only, which late releases 4.x overrode in any class."""
    splitter = json.loads(tokenizer.to_str())["pre_tokenizer"]
    own = isinstance(splitter, dict) and splitter.get("type") == _BYTES and splitter["add_prefix_space"]
    return own and settings.stated.get("add_prefix_space") is None


def _words(parts: dict[str, Any], settings: TokenizerSettings) -> dict[str, Any]:
    """Return BERT's normalizer by the settings, where the tokenizer has it and the class such settings."""
    normalizer = parts["normalizer"]
    if not isinstance(normalizer, dict) or normalizer.get("type") != _WORDS:
        return {}
    if settings.class_name is None:  # no class, and so no defaults: only what is stated
        lowercase = settings.switch("do_lower_case", normalizer["lowercase"])
        accents = settings.switch("strip_accents", normalizer["strip_accents"])
        chinese = settings.switch("tokenize_chinese_chars", normalizer["handle_chinese_chars"])
    elif settings.group.form == "word-pieces":
        lowercase = settings.switch("do_lower_case", True)  # noqa: FBT003
        accents = settings.switch("strip_accents", None)
        chinese = settings.switch("tokenize_chinese_chars", True)  # noqa: FBT003
    else:
        return {}
    changes = {"lowercase": bool(lowercase), "strip_accents": accents, "handle_chinese_chars": bool(chinese)}
    return {"normalizer": {**normalizer, **changes}}


def _spaces(parts: dict[str, Any], settings: TokenizerSettings) -> dict[str, Any]:
    """Return the byte-level splitter by the settings, where it is the tokenizer's only one."""
    splitter, ends = parts["pre_tokenizer"], parts["post_processor"]
    if not isinstance(splitter, dict) or splitter.get("type") != _BYTES:
        return {}
    default = False if settings.group.form == "byte-level" else splitter["add_prefix_space"]
    change = {"add_prefix_space": bool(settings.switch("add_prefix_space", default))}
    changed = {"pre_tokenizer": {**splitter, **change}}
    if isinstance(ends, dict) and "add_prefix_space" in ends:  # it trims the offsets of words by it
        changed["post_processor"] = {**ends, **change}
    return changed


def _add_tokens(tokenizer: Tokenizer, settings: TokenizerSettings) -> None:
    """Add the tokens that the files state, and the class's own where the vocabulary has them.

    A token of the class that is not in the vocabulary would get an id that the model has no embedding for: transformers adds it
    nevertheless, and the model fails where a text holds it. Here such a text is read as any other.
    """
    known = [*tokenizer.get_added_tokens_decoder().values()]
    tokens = [token for _, token in sorted(settings.added.items()) if repr(token) not in {*map(repr, known)}]
    texts = {token.content for token in (*known, *tokens)}
    special = settings.special_tokens(known)
    for name, token in special.items():
        if isinstance(token, str) and token in texts:
            continue  # a token with flags of its own replaces the one of tokenizer.json, as in transformers
        if settings.is_stated(name) or tokenizer.token_to_id(_text(token)) is not None:
            tokens.append(AddedToken(token, special=True) if isinstance(token, str) else token)
            texts.add(_text(token))
    names = {*map(_text, special.values())}
    for token in tokens:
        token.special = token.special or token.content in names
    tokenizer.add_tokens(tokens)


def _text(token: AddedToken | str) -> str:
    return token.content if isinstance(token, AddedToken) else token
