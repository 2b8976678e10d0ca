"""Crafted tokenizer.json: damaged, hostile, or of an odd kind that the library takes."""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "good", "film", "##s", "ab", "x"]
VOCABULARY = {piece: index for index, piece in enumerate(PIECES)}
TEXTS = ("", "good films", "a" * 40 + "b", "é\t好ab\0\U0001f600 ##b a##b ab", "a" * 3000 + "!", " ", "x b a ab xb")
UNLUCKY = "a" * 40 + "!"
"""A text at which `CATASTROPHIC` gives up."""
CATASTROPHIC = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": "a"}

_TEXT = {"Sequence": {"id": "A", "type_id": 0}}
_SECOND = {"Sequence": {"id": "B", "type_id": 1}}
_CLS = {"SpecialToken": {"id": "[CLS]", "type_id": 0}}
_CLS_TOKEN = {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}
_CONTINUED = {**VOCABULARY, "##b": 11, "a##b": 12}


def crafted(**parts: object) -> bytes:
    """Return a small sound tokenizer.json with these parts in the place of its own."""
    sound: dict[str, Any] = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": None,
        "model": word_piece(),
    }
    return json.dumps(sound | parts).encode()


def word_piece(**parts: object) -> dict[str, Any]:
    sound = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
    return sound | {"vocab": VOCABULARY} | parts


def byte_pairs(**parts: object) -> dict[str, Any]:
    return {"type": "BPE", "unk_token": "[UNK]", "vocab": VOCABULARY, "merges": [["a", "b"]]} | parts


def unigram(**parts: object) -> dict[str, Any]:
    pieces = [[piece, -float(index)] for piece, index in VOCABULARY.items()]
    return {"type": "Unigram", "unk_id": 1, "vocab": pieces, "byte_fallback": False} | parts


def precompiled(trie: bytes, size: int | None = None, replacements: bytes = b"x\0") -> dict[str, Any]:
    """Return a normalizer with a map of characters; the size in its header is the trie's, or as given."""
    return _of_map(struct.pack("<I", len(trie) if size is None else size) + trie + replacements)


def double_array(key: int, value: int) -> bytes:
    """Return a trie that replaces one byte: the root's children begin at 0, the byte's leaf lies in a block of its own."""
    units = [0] * 768
    units[0] = 256 << 10
    units[256 ^ key] = key | 1 << 8 | (256 ^ 512) << 10  # its children begin at (256 ^ key) ^ offset
    units[(256 ^ key) ^ (256 ^ 512)] = value | 1 << 31
    return struct.pack(f"<{len(units)}I", *units)


def _of_map(data: bytes) -> dict[str, Any]:
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(data).decode()}


def _template(single: Sequence[object], special: dict[str, Any]) -> dict[str, Any]:
    return {"type": "TemplateProcessing", "single": single, "pair": [_TEXT, _SECOND], "special_tokens": special}


def _split(pattern: str) -> bytes:
    return crafted(pre_tokenizer={"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False})


def _added(normalizer: object = None, **parts: object) -> bytes:
    token = {"id": 4, "content": "a", "single_word": False, "lstrip": False, "rstrip": False, "normalized": True}
    return crafted(normalizer=normalizer, added_tokens=[token | {"special": False} | parts])


def _nested(depth: int) -> bytes:
    deep = '{"type":"Sequence","normalizers":[' * depth + '{"type":"NFC"}' + "]}" * depth
    return crafted().replace(b'"normalizer": null', f'"normalizer": {deep}'.encode())


FATAL = {
    "a map of 4 bytes 0xff": crafted(normalizer=_of_map(b"\xff" * 4)),
    "a map of 100 bytes 0xff": crafted(normalizer=_of_map(b"\xff" * 100)),
    "such a map without a type": crafted(normalizer={"precompiled_charsmap": base64.b64encode(b"\xff" * 8).decode()}),
    "such a map in a sequence": crafted(normalizer={"type": "Sequence", "normalizers": [_of_map(b"\xff" * 4)]}),
    "such a map, and the key again": crafted(normalizer=_of_map(b"\xff" * 4))[:-1] + b', "normalizer": null}',
    "such a map, its key in escapes": crafted(normalizer=_of_map(b"\xff" * 4)).replace(b"precompiled_", b"\\u0070recompiled_"),
    "replacements that multiply": crafted(
        normalizer={
            "type": "Sequence",
            "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 1000}] * 4,
        }
    ),
    "a template of 5 million tokens": crafted(
        post_processor=_template(
            [_CLS] * 500 + [_TEXT], {"[CLS]": {"id": "[CLS]", "ids": [2] * 10_000, "tokens": ["a"] * 10_000}}
        )
    ),
}
"""Files that would abort the process, or ask for gigabytes."""

REFUSED = {
    "nothing": (b"", "Expecting value"),
    "not UTF-8": (b"\xff\xfe", "can't decode"),
    "a list": (b"[]", "not a JSON object"),
    "null": (b"null", "not a JSON object"),
    "an empty object": (b"{}", "Model missing"),
    "cut short": (crafted()[:300], "Unterminated|Expecting"),
    "a key twice": (crafted().replace(b'"version"', b'"model": null, "version"'), "'model' occurs twice"),
    "half a surrogate pair": (crafted().replace(b'"good"', b'"\\ud800"'), "hex escape"),
    "NaN": (crafted(model=unigram()).replace(b"-4.0", b"NaN"), "expected value"),
    "nested 100,000 deep": (b"[" * 100_000, "nested too deeply"),
    "sequences 200 deep": (_nested(200), "recursion limit"),
    "no model": (crafted(model=None), "did not match"),
    "another version": (crafted(version="9.0"), "Unknown tokenizer version"),
    "an unknown part": (crafted(pre_tokenizer={"type": "Nope"}), "did not match"),
    "a negative id": (crafted(model=word_piece(vocab={**VOCABULARY, "q": -1})), "expected u32"),
    "a map of nothing": (crafted(normalizer=_of_map(b"")), "map of characters is damaged"),
    "a map of three bytes": (crafted(normalizer=_of_map(b"abc")), "map of characters is damaged"),
    "a map without a trie": (crafted(normalizer=precompiled(b"")), "claims a trie of 0 bytes"),
    "a map with 7 bytes of trie": (crafted(normalizer=precompiled(b"1234567")), "claims a trie of 7 bytes"),
    "a map cut short": (crafted(normalizer=precompiled(double_array(65, 0), 4000)), "claims a trie of 4000 bytes"),
    "a map of noise": (crafted(normalizer=precompiled(bytes(range(256)) * 4)), "leads out of itself"),
    "a map of 0xff with a sound size": (crafted(normalizer=precompiled(b"\xff" * 64)), "leads out of itself"),
    "a map of one unit": (crafted(normalizer=precompiled(struct.pack("<I", 1 << 10))), "leads out of itself"),
    "a map whose leaf leads out": (crafted(normalizer=precompiled(double_array(65, 99))), "replacement that is not there"),
    "a map into a character": (
        crafted(normalizer=precompiled(double_array(65, 1), None, "é\0".encode())),
        "middle of a character",
    ),
    "a map that is not UTF-8": (crafted(normalizer=precompiled(double_array(65, 0), None, b"\xff\xfe\0")), "not UTF-8"),
    "a map that is not base64": (crafted(normalizer={"type": "Precompiled", "precompiled_charsmap": "!!!"}), "not base64"),
    "a map that is a number": (crafted(normalizer={"type": "Precompiled", "precompiled_charsmap": 3}), "damaged"),
    "pieces of length 0": (crafted(pre_tokenizer={"type": "FixedLength", "length": 0}), "pieces of length 0"),
    "pieces of length 0 in a sequence": (
        crafted(pre_tokenizer={"type": "Sequence", "pretokenizers": [{"type": "FixedLength", "length": 0}]}),
        "pieces of length 0",
    ),
    "pieces of length -1": (crafted(pre_tokenizer={"type": "FixedLength", "length": -1}), "expected usize"),
    "a template without its token": (crafted(post_processor=_template([_CLS, _TEXT], {})), r"token '\[CLS\]'"),
    "such a template in a sequence": (
        crafted(post_processor={"type": "Sequence", "processors": [_template([_CLS, _TEXT], {})]}),
        r"token '\[CLS\]'",
    ),
    "a template for two texts": (crafted(post_processor=_template([_TEXT, _SECOND], {})), "place for a second"),
    "a template that fills the model": (
        crafted(post_processor=_template([_CLS] * 200 + [_TEXT], _CLS_TOKEN)),
        "adds 200",
    ),
    "a prefix longer than its token": (
        crafted(model=byte_pairs(continuing_subword_prefix="#" * 50)),
        "shorter than the prefix",
    ),
    "a prefix that ends within a character": (
        crafted(model=byte_pairs(continuing_subword_prefix="#", vocab={**VOCABULARY, "é": 11}, merges=[["a", "é"]])),
        "shorter than the prefix",
    ),
    "merges as lines, one of them short": (
        crafted(model=byte_pairs(continuing_subword_prefix="##", vocab=_CONTINUED, merges=["a ##b", "x b"])),
        "shorter than the prefix",
    ),
    "a merge of unknown tokens": (crafted(model=byte_pairs(merges=[["q", "z"]])), "out of vocabulary"),
    "a merge of one token": (crafted(model=byte_pairs(merges=["a"])), "Merges text file invalid"),
    "no unknown token in WordPiece": (crafted(model=word_piece(unk_token="nope")), "does not work"),
    "no unknown token in BPE": (crafted(model=byte_pairs(unk_token="nope")), "does not work"),
    "no unknown token in Unigram": (crafted(model=unigram(unk_id=None)), "does not work"),
    "an unknown token out of range": (crafted(model=unigram(unk_id=99_999)), "UnkIdNotInVocabulary"),
    "no vocabulary": (crafted(model=word_piece(vocab={})), "does not work"),
    "a regex that is none": (_split("("), "Oniguruma"),
    "a regex nested too deeply": (_split("(" * 5000 + "a" + ")" * 5000), "parse depth limit"),
    "a regex that never ends": (_split(r"(?<n>\g<n>a)"), "never ending recursion"),
    "a template of nothing": (crafted(post_processor=_template([], {})), "does not work"),
    "an added token that vanishes": (
        _added({"type": "Strip", "strip_left": True, "strip_right": True}, content="\t"),
        "does not work",
    ),
    "a million characters before each text": (
        crafted(normalizer={"type": "Prepend", "prepend": "a" * 10**6}),
        "before each text",
    ),
}
"""Files that are refused when they are loaded, and a word of the reason."""

UNLUCKY_AT_SOME_TEXT = {
    "a catastrophic regex": crafted(normalizer=CATASTROPHIC),
    "a catastrophic regex that splits": _split("(a+)+$"),
    "a regex that calls itself": _split(r"(?<n>a\g<n>?b?)+$"),
    "no special tokens": crafted(post_processor=None),
}
"""Files that load; the library panics or finds no token at some of `TEXTS`."""

SOUND = {
    "WordPiece": crafted(),
    "BPE": crafted(model=byte_pairs()),
    "BPE with a prefix": crafted(model=byte_pairs(continuing_subword_prefix="##", vocab=_CONTINUED, merges=[["a", "##b"]])),
    "Unigram": crafted(model=unigram()),
    "a template": crafted(post_processor=_template([_CLS, _TEXT], _CLS_TOKEN)),
    "a sound map": crafted(normalizer=precompiled(double_array(65, 0))),
    "sequences 30 deep": _nested(30),
    "padding and truncation to nothing": crafted(
        padding={
            "strategy": {"Fixed": 2**40},
            "direction": "Right",
            "pad_to_multiple_of": 0,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        truncation={"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 2**63},
    ),
    "a regex that matches nothing": _split("(?<=a)(?!b)"),
    "a large regex": _split("((a{1,999}){1,999}){1,999}"),
    "an added token that is empty": _added(content=""),
    "an added token with the largest id": _added(content="zz", id=2**32 - 1),
    "words of no length": crafted(model=word_piece(max_input_chars_per_word=0)),
    "one piece five times": crafted(model=unigram(vocab=[["<unk>", 0.0]] + [["a", -1.0]] * 5, unk_id=0)),
}
"""Odd files that the library takes."""
