"""Tokenization as the model was trained with: truncation and padding are set here, whatever tokenizer.json says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.bundle import TOKENIZER
from sentiment_edge_runtimes.errors import BundleInvalid, InputError, TextError, first_line, raise_first
from sentiment_edge_runtimes.machine.panics import panics_raised
from sentiment_edge_runtimes.tokenization.thread_pool import start_pool
from sentiment_edge_runtimes.tokenization.tokenizer_file import TokenizerFault, read_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Encoding, Tokenizer

    from sentiment_edge_runtimes.bundle import Bundle

PROBE = "\N{SNOWMAN} unheard-of"
"""A text that every tokenizer reads, known words or not; the export tried it."""
_CHARACTERS_PER_TOKEN = 32
_MAX_CHARACTERS = 2**20
"""Characters of a text that are read at most: more of them could change its tokens only if one of its words were as long."""
_EMPTY = "the tokenizer finds no token in this text"
_MASKS = ("[MASK]", "<mask>", "<|mask|>")
"""Names of the mask token, as published models have them."""


class Tokens(NamedTuple):
    """One text as the model reads it."""

    ids: list[int]
    truncated: bool
    """True if tokens beyond the model's length were cut off."""


class TextTokenizer:
    """The bundle's tokenizer; threads may share it.

    Raises:
        BundleInvalid: tokenizer.json cannot be read, or does not work.
        BundleDamaged: it has changed since the bundle was opened.
    """

    def __init__(self, bundle: Bundle, threads: int) -> None:
        manifest = bundle.manifest
        self._max_length = manifest.max_length
        self._prefix = _CHARACTERS_PER_TOKEN * manifest.max_length
        self._threads = threads
        try:
            self._tokenizer = read_tokenizer(bundle)
            special = _neutralize(self._tokenizer, manifest.max_length, plain=manifest.truncation == "plain")
        except TokenizerFault as error:
            raise BundleInvalid(bundle.root, f"{TOKENIZER} cannot be read ({first_line(error)})") from error
        if special >= manifest.max_length:
            raise BundleInvalid(
                bundle.root, f"{TOKENIZER} adds {special} special tokens to a text, the model reads {manifest.max_length}"
            )
        try:
            self._encode_all([""])
            self.encode([PROBE])
        except TextError as error:
            raise BundleInvalid(bundle.root, f"{TOKENIZER} does not work ({error.problem})") from error

    @property
    def mask_id(self) -> int | None:
        """The token that stands for a hidden one; None where the tokenizer has none."""
        return next((found for name in _MASKS if (found := self._tokenizer.token_to_id(name)) is not None), None)

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text.

        Raises:
            InputError: an item is not a string.
            TextError: the library failed on a text, or found no token in it.
        """
        return raise_first(self.encode_each(texts))

    def encode_each(self, texts: Sequence[str]) -> list[Tokens | TextError]:
        """Return the tokens of each text; the error, where the library failed on it or found no token in it.

        Raises:
            InputError: an item is not a string.
        """
        for text in texts:
            _check(text)
        try:
            return [*self._encode_together(texts)]
        except TextError:  # of one of them at least
            return [self._encode_alone(text) for text in texts]

    def encode_one(self, text: str) -> tuple[Encoding, bool]:
        """Return the full encoding of one text, with tokens and character offsets, and True if its end goes unseen.

        Of a long text only as much is read as determines the tokens that are kept: memory does not grow with the text.

        Raises:
            InputError: it is not a string.
            TextError: the library failed on it, or found no token.
        """
        _check(text)
        text = encodable(text)
        size = self._prefix
        while size < min(len(text), _MAX_CHARACTERS):
            encoding = self._encode_all([text[:size]])[0]
            if _is_settled(encoding):
                encoding.truncate(self._max_length)
                return encoding, True
            size *= 4
        encoding = self._encode_all([text[:_MAX_CHARACTERS]])[0]
        truncated = self._is_cut(encoding) or len(text) > _MAX_CHARACTERS
        if len(encoding) > self._max_length:
            encoding.truncate(self._max_length)
        if not len(encoding):
            raise TextError(_EMPTY)
        return encoding, truncated

    def _encode_together(self, texts: Sequence[str]) -> list[Tokens]:
        short_texts = [encodable(text) for text in texts if len(text) <= self._prefix]
        encodings = self._encode_all(short_texts, fast=len(short_texts) > 1 and self._may_use_pool())
        if not all(map(len, encodings)):
            raise TextError(_EMPTY)
        short = iter([(encoding, self._is_cut(encoding)) for encoding in encodings])
        read = [next(short) if len(text) <= self._prefix else self.encode_one(text) for text in texts]
        return [Tokens(encoding.ids[: self._max_length], truncated) for encoding, truncated in read]

    def _may_use_pool(self) -> bool:
        """Tell whether the library's pool has several threads and no more than allowed; it starts now, for a fork loses it."""
        return self._threads > 1 and 1 < start_pool(self._tokenizer, self._threads) <= self._threads

    def _encode_alone(self, text: str) -> Tokens | TextError:
        try:
            return self._encode_together([text])[0]
        except TextError as error:
            return error

    def _encode_all(self, texts: list[str], *, fast: bool = False) -> list[Encoding]:
        """Encode on the pool without offsets (`fast`), or on this thread with them; a few tokens too many may follow.

        Raises:
            TextError: the library failed on one of the texts.
        """
        encode_batch = self._tokenizer.encode_batch_fast if fast else partial(map, self._tokenizer.encode)
        try:
            with panics_raised():
                return list(encode_batch(texts))
        except Exception as error:  # the library raises bare Exception
            raise TextError(f"the tokenizer failed on this text ({first_line(error)})") from error

    def _is_cut(self, encoding: Encoding) -> bool:
        """Tell whether tokens of the text itself go unread, not only special ones at its end."""
        beyond = encoding.special_tokens_mask[self._max_length :]
        return 0 in beyond or any(0 in part.special_tokens_mask for part in encoding.overflowing)


def _neutralize(tokenizer: Tokenizer, max_length: int, *, plain: bool) -> int:
    """Set truncation and padding, and return the number of special tokens that are added to a text."""
    try:
        with panics_raised():
            tokenizer.no_padding()
            special = tokenizer.num_special_tokens_to_add(is_pair=False)
            tokenizer.enable_truncation(max_length + special * plain)
    except Exception as error:  # the library raises bare Exception
        raise TokenizerFault(first_line(error)) from error
    return special


def _check(text: object) -> None:
    if not isinstance(text, str):
        raise InputError(f"a text must be a string, not {type(text).__name__}: {text!r:.60}")


def encodable(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 can hold, by question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_settled(encoding: Encoding) -> bool:
    """Tell whether more text could not change the kept tokens: they end before the last word, which the cut may have split."""
    if not encoding.overflowing:
        return False
    kept, last = (
        max((word for word in part.word_ids if word is not None), default=-1) for part in (encoding, encoding.overflowing[-1])
    )
    return kept < last
