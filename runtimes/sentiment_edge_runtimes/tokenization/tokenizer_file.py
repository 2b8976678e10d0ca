"""tokenizer.json, refused where the library would panic or take the process down, before the library reads it.

Parts are told by their keys, not by their type: the library takes types by number too, and parts without a type.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from sentiment_edge_runtimes.bundle import TOKENIZER
from sentiment_edge_runtimes.bundle.strict_json import loads
from sentiment_edge_runtimes.errors import first_line
from sentiment_edge_runtimes.machine.panics import panics_raised
from sentiment_edge_runtimes.tokenization.character_map import check_character_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentiment_edge_runtimes.bundle import Bundle

_LARGEST = 256 * 2**20
"""Bytes of a tokenizer.json; the largest published ones have 40 million."""
_MOST_GROWTH = 1024
"""Times that the normalizer may lengthen a text, and characters that it may put before it; real ones know tens."""
_INTRODUCTION = "Cannot instantiate Tokenizer from buffer: "


class TokenizerFault(ValueError):
    """A tokenizer.json that cannot be used; the message says why."""


def read_tokenizer(bundle: Bundle) -> Tokenizer:
    """Load a bundle's tokenizer.json; from its bytes, for they must be those that were checked, and a path may not be UTF-8.

    Raises:
        TokenizerFault: it cannot be used, or the library would not survive it.
        BundleInvalid: the bundle lists none.
        BundleDamaged: it has changed since the bundle was opened, or cannot be read.
    """
    check_size(bundle.manifest.files.get(TOKENIZER, 0))
    return parse_tokenizer(bundle.read(TOKENIZER))


def check_size(size: int) -> None:
    """Refuse a file before it is read.

    Raises:
        TokenizerFault: it has more bytes than a tokenizer.json has.
    """
    if size > _LARGEST:
        raise TokenizerFault(f"it has more than {_LARGEST // 2**20} MiB")


def parse_tokenizer(contents: bytes) -> Tokenizer:
    """Load the contents of a tokenizer.json.

    Raises:
        TokenizerFault: they are none, or the library would not survive them.
    """
    try:
        _check(loads(contents.decode()))
        with panics_raised():
            return Tokenizer.from_buffer(contents)
    except RecursionError as error:
        raise TokenizerFault("it is nested too deeply") from error
    except Exception as error:  # the library raises bare Exception
        raise TokenizerFault(first_line(error).removeprefix(_INTRODUCTION)) from error


def _check(file: object) -> None:
    if not isinstance(file, dict):
        raise TokenizerFault("it is not a JSON object")
    _check_growth(file.get("normalizer"))
    for part in _parts(file.get("pre_tokenizer")):
        if part.get("length") == 0:
            raise TokenizerFault("it splits texts into pieces of length 0")
    for part in _parts(file.get("post_processor")):
        if "single" in part:
            _check_template(part["single"], part.get("special_tokens"))
    model = file.get("model")
    if isinstance(model, dict) and model.get("continuing_subword_prefix"):
        _check_merges(model.get("merges"), str(model["continuing_subword_prefix"]).encode("utf-8", "replace"))


def _parts(root: object) -> Iterator[dict[str, Any]]:
    """Yield all objects in a JSON value, itself included."""
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _check_growth(normalizer: object) -> None:
    """Check maps of characters, and that replacements of replacements do not ask for all memory."""
    factors = [1]
    for part in _parts(normalizer):
        if "precompiled_charsmap" in part:
            try:
                factors.append(check_character_map(part["precompiled_charsmap"]))
            except ValueError as error:
                raise TokenizerFault(f"its map of characters is damaged: {error}") from error
        if isinstance(content := part.get("content"), str):
            pattern = part.get("pattern")
            replaced = pattern.get("String") if isinstance(pattern, dict) else None
            factors.append(len(content) // max(1, len(replaced) if isinstance(replaced, str) else 1))
        if isinstance(put_before := part.get("prepend"), str) and len(put_before) > _MOST_GROWTH:
            raise TokenizerFault(f"it puts {len(put_before)} characters before each text, more than {_MOST_GROWTH}")
    if (growth := math.prod(max(1, factor) for factor in factors)) > _MOST_GROWTH:
        raise TokenizerFault(f"its normalizer may lengthen a text more than {_MOST_GROWTH} times ({growth:.0e})")


def _check_template(template: object, special: object) -> None:
    """Check that each special token of a template is defined, and that it is for one text."""
    known = special if isinstance(special, dict) else {}
    for piece in _parts(template):
        token, sequence = piece.get("SpecialToken"), piece.get("Sequence")
        if isinstance(token, dict) and token.get("id") not in known:
            raise TokenizerFault(f"its template uses the token {token.get('id')!r:.40}, which it does not define")
        if isinstance(sequence, dict) and sequence.get("id") != "A":
            raise TokenizerFault("its template for one text has a place for a second one")


def _check_merges(merges: object, prefix: bytes) -> None:
    """Check that the second token of each merge has the prefix, which the library cuts off without looking."""
    for merge in merges if isinstance(merges, list) else ():
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], str):  # noqa: PLR2004
            cut = pair[1].encode("utf-8", "replace")[: len(prefix)]
            rest = pair[1].encode("utf-8", "replace")[len(prefix) :]
            if len(cut) < len(prefix) or (rest and (rest[0] & 0xC0) == 0x80):  # noqa: PLR2004 - within a character
                raise TokenizerFault(f"it merges {pair[1]!r:.40}, which is shorter than the prefix that is cut off it")
