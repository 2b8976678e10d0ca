"""Tokenization as the model was trained with: truncation and padding are set here, whatever tokenizer.json says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tokenizers import Encoding, Tokenizer

from sentiment_edge_runtimes.errors import BundleInvalid, InputError
from sentiment_edge_runtimes.machine.threads import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentiment_edge_runtimes.bundle import Bundle

_CHARACTERS_PER_TOKEN = 32
_MAX_CHARACTERS = 2**20
"""Characters of a text that are read at most: more of them could change its tokens only if one of its words were as long."""


class Tokens(NamedTuple):
    """One text as the model reads it."""

    ids: list[int]
    truncated: bool
    """True if tokens beyond the model's length were cut off."""


class TextTokenizer:
    """The bundle's tokenizer; threads may share it."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        path = bundle.require("tokenizer.json")
        self._root = bundle.root
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise BundleInvalid(bundle.root, f"{path.name} cannot be read ({error})") from error
        self._tokenizer.no_padding()
        self._max_length = bundle.manifest.max_length
        spare = self._tokenizer.num_special_tokens_to_add(is_pair=False) if bundle.manifest.truncation == "plain" else 0
        self._tokenizer.enable_truncation(bundle.manifest.max_length + spare)
        self._prefix = _CHARACTERS_PER_TOKEN * bundle.manifest.max_length
        self._parallel = 1 < usable_cpus() <= threads  # the library's batches take every CPU or one

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text.

        Raises:
            InputError: an item is not a string.
        """
        short_texts = [_encodable(text) for text in texts if len(_checked(text)) <= self._prefix]
        encodings = self._encode_all(short_texts, fast=self._parallel)
        short = iter([(encoding, self._is_cut(encoding)) for encoding in encodings])
        read = [next(short) if len(text) <= self._prefix else self.encode_one(text) for text in texts]
        return [Tokens(encoding.ids[: self._max_length], truncated) for encoding, truncated in read]

    def encode_one(self, text: str) -> tuple[Encoding, bool]:
        """Return the full encoding of one text, with tokens and character offsets, and True if its end goes unseen.

        Of a long text only as much is read as determines the tokens that are kept: memory does not grow with the text.

        Raises:
            InputError: it is not a string.
        """
        text = _encodable(_checked(text))
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
        return encoding, truncated

    def _encode_all(self, texts: list[str], *, fast: bool = False) -> list[Encoding]:
        """Encode on all CPUs without offsets (`fast`), or on this thread with them; a few tokens too many may follow."""
        try:
            encode_batch = self._tokenizer.encode_batch_fast if fast else partial(map, self._tokenizer.encode)
            return list(encode_batch(texts))
        except Exception as error:  # the library raises bare Exception
            raise BundleInvalid(self._root, f"tokenizer.json does not work ({error})") from error

    def _is_cut(self, encoding: Encoding) -> bool:
        """Tell whether tokens of the text itself go unread, not only special ones at its end."""
        beyond = encoding.special_tokens_mask[self._max_length :]
        return 0 in beyond or any(0 in part.special_tokens_mask for part in encoding.overflowing)


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise InputError(f"a text must be a string, not {type(text).__name__}: {text!r:.60}")
    return text


def _encodable(text: str) -> str:
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
