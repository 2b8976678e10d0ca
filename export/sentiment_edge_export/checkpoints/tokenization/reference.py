"""The checkpoint's own tokenizer as another implementation has it: what the shipped tokenizer.json is held against."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from tokenizers import AddedToken

from sentiment_edge_runtimes.machine.panics import panics_raised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokenizers import Tokenizer

    from sentiment_edge_export.checkpoints.tokenization.settings import TokenizerSettings

_SAME_FILE = "TokenizersBackend"
"""The class of release 5 that reads tokenizer.json as it is."""
_PARTS = ("normalizer", "pre_tokenizer")
_SETTINGS = ("lowercase", "strip_accents", "handle_chinese_chars", "add_prefix_space", "trim_offsets")
_OF_MODEL = ("type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word")
BEYOND = "a special token that the vocabulary lacks, for which the model has no embedding"
"""The kind of difference of a text that holds a token of the class, which transformers adds to any vocabulary."""
ITSELF = "tokenizer.json itself"
"""The name of the reference where there is no other implementation."""


class TokenizerReference(NamedTuple):
    """Another implementation of a checkpoint's tokenizer."""

    name: str
    """The implementation with its version, such as `sentencepiece 0.2.1`."""
    ids: Callable[[str], list[int]]
    """Returns a text's token ids with special tokens, not truncated."""
    named: Callable[[str], str | None] | None = None
    """Returns the kind of difference that a text's tokens have in tokenizer.json, if it is known and no fault; else None."""


class Shape(NamedTuple):
    """Those parts of a tokenizer.json that transformers' classes keep, or must build alike to be its judge."""

    parts: tuple[dict[str, Any], ...]
    """Its parts without the settings that classes change, and without the vocabulary."""
    ends: list[int]
    """The special tokens of an empty text."""
    added: frozenset[str]
    """The texts of added tokens."""
    vocabulary: frozenset[str]
    """The texts of all tokens."""


def shape_of(tokenizer: Tokenizer) -> Shape | None:
    """Return the shape of a tokenizer as it was read, before any setting is applied; None if it does not work."""
    contents = json.loads(tokenizer.to_str())
    model = contents["model"]
    kept = _OF_MODEL if model.get("type") == "WordPiece" else ("type",)
    rest = ({name: value for name, value in (contents[part] or {}).items() if name not in _SETTINGS} for part in _PARTS)
    added = frozenset(token.content for token in tokenizer.get_added_tokens_decoder().values())
    try:
        with panics_raised():
            ends = list(tokenizer.encode("").ids)
    except Exception:  # noqa: BLE001 - the library raises bare Exception
        return None
    return Shape((*rest, {name: model.get(name) for name in kept}), ends, added, frozenset(tokenizer.get_vocab()))


def transformers_reference(settings: TokenizerSettings, shape: Shape) -> TokenizerReference | None:
    """Return transformers' own tokenizer of a folder; None where the installed release is no judge of it.

    Of the classes for word pieces and byte-level BPE, release 5 gives the ids of the releases that models were trained with, as
    long as tokenizer.json has the parts that the class builds, since it takes little but the vocabulary from the file. For all
    others it builds another tokenizer or reads the same file.
    """
    if settings.group.form == "other":
        return None
    import transformers  # noqa: PLC0415 - takes a second

    try:
        with _quiet(transformers), panics_raised():
            loaded = transformers.AutoTokenizer.from_pretrained(settings.folder, local_files_only=True, trust_remote_code=False)
            backend = loaded.backend_tokenizer
            built = shape_of(backend)
            if built is None or built[:2] != shape[:2] or not shape.added <= built.added:
                return None
            if type(loaded).__name__ == _SAME_FILE or not settings.more_texts() <= {*backend.get_vocab()}:
                return None
    except Exception:  # noqa: BLE001 - whatever a class makes of the files: then it is no judge
        return None
    backend.no_truncation()
    backend.no_padding()
    mask = settings.special_tokens().get("mask_token")
    if isinstance(mask, AddedToken) and mask.lstrip and not isinstance(settings.stated.get("mask_token"), dict):
        backend.add_tokens([mask])  # release 5 has forgotten that it takes the space before it
    beyond = settings.absent_tokens(shape.vocabulary)
    return TokenizerReference(
        f"transformers {transformers.__version__} {type(loaded).__name__}",
        lambda text: list(backend.encode(text).ids),
        lambda text: BEYOND if any(token in text for token in beyond) else None,
    )


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:  # noqa: ANN401 - a module that is imported late
    """Keep transformers' remarks from the terminal."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    try:
        yield
    finally:
        transformers.logging.set_verbosity(before)
