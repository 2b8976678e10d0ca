"""Crafted tokenizer.json: refused, or read; never a panic, whatever the text."""

from __future__ import annotations

import base64
import json
import struct
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.crafted_tokenizers import (
    FATAL,
    REFUSED,
    SOUND,
    TEXTS,
    UNLUCKY_AT_SOME_TEXT,
    byte_pairs,
    crafted,
    double_array,
    precompiled,
)
from helpers.support import Command, put_file
from tokenizers import Tokenizer

from sentiment_edge import BundleInvalid
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.errors import TextError
from sentiment_edge_runtimes.machine.panics import LibraryPanic, panics_raised
from sentiment_edge_runtimes.tokenization import TextTokenizer
from sentiment_edge_runtimes.tokenization.character_map import check_character_map
from sentiment_edge_runtimes.tokenization.tokenizer_file import TokenizerFault, parse_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable


def open_tokenizer(folder: Path, contents: bytes, threads: int = 1) -> TextTokenizer:
    put_file(folder, "tokenizer.json", contents)
    return TextTokenizer(Bundle.open(folder), threads)


@pytest.mark.parametrize("name", FATAL)
def test_a_file_that_would_end_the_process_is_refused(command: Command, bundle_folder: Path, name: str) -> None:
    put_file(bundle_folder, "tokenizer.json", FATAL[name])
    done = command("predict", bundle_folder, stdin=b"good\n")
    assert (done.returncode, done.stdout) == (1, b"")
    (line,) = done.stderr.decode().splitlines()
    assert "tokenizer.json" in line


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_the_library_would_not_survive_is_refused(bundle_folder: Path, name: str) -> None:
    contents, reason = REFUSED[name]
    with pytest.raises(BundleInvalid, match=reason) as refusal:
        open_tokenizer(bundle_folder, contents)
    assert "tokenizer.json" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", UNLUCKY_AT_SOME_TEXT)
def test_a_text_that_the_library_fails_on_is_told_from_the_others(bundle_folder: Path, name: str, threads: int) -> None:
    tokenizer = open_tokenizer(bundle_folder, UNLUCKY_AT_SOME_TEXT[name], threads)
    read = tokenizer.encode_each(TEXTS)
    failed = [index for index, each in enumerate(read) if isinstance(each, TextError)]
    assert failed
    assert len(failed) < len(TEXTS)
    with pytest.raises(TextError, match=rf"^texts\[{failed[0]}\]: the tokenizer ") as refusal:
        tokenizer.encode(TEXTS)
    assert "\n" not in str(refusal.value)
    with pytest.raises(TextError, match=r"^the tokenizer "):
        tokenizer.encode_one(TEXTS[failed[0]])
    good = [text for index, text in enumerate(TEXTS) if index not in failed]
    assert tokenizer.encode(good) == [each for each in read if not isinstance(each, TextError)]


@pytest.mark.parametrize("merges", [[3], [["a"]], [["a", 3]], ["a"], [None], {"a": "b"}, 3], ids=str)
def test_merges_of_another_form_are_refused_by_the_library(bundle_folder: Path, merges: object) -> None:
    with pytest.raises(BundleInvalid, match=r"tokenizer\.json cannot be read"):
        open_tokenizer(bundle_folder, crafted(model=byte_pairs(continuing_subword_prefix="##", merges=merges)))


@pytest.mark.parametrize("name", SOUND)
def test_an_odd_file_that_the_library_takes_is_read(bundle_folder: Path, name: str) -> None:
    tokens = open_tokenizer(bundle_folder, SOUND[name]).encode(TEXTS)
    library = Tokenizer.from_str(SOUND[name].decode())
    library.no_padding()
    library.enable_truncation(128)
    assert [each.ids for each in tokens] == [library.encode(text).ids for text in TEXTS]


def test_a_file_that_is_too_large_is_not_read(bundle_folder: Path) -> None:
    bundle = Bundle.open(bundle_folder)
    sizes = {**bundle.manifest.files, "tokenizer.json": 2**30}
    with pytest.raises(BundleInvalid, match="more than 256 MiB"):
        TextTokenizer(replace(bundle, manifest=replace(bundle.manifest, files=sizes)), 1)


def test_a_map_is_followed_as_the_library_follows_it() -> None:
    tokenizer = parse_tokenizer(crafted(normalizer=precompiled(double_array(ord("q"), 0), None, b"good\0")))
    assert tokenizer.encode("q").tokens == ["[CLS]", "good", "[SEP]"]


def test_a_damaged_map_is_refused_or_harmless() -> None:
    """Flip each bit of the units that are in use, one at a time: what passes the check passes the library."""
    sound = precompiled(double_array(ord("q"), 0), None, b"good\0")
    data = bytearray(base64.b64decode(sound["precompiled_charsmap"]))
    used = [place for place in range(4, len(data)) if data[place]]
    refused = 0
    for place in used:
        for bit in range(8):
            data[place] ^= 1 << bit
            contents = crafted(normalizer={**sound, "precompiled_charsmap": base64.b64encode(data).decode()})
            data[place] ^= 1 << bit
            try:
                tokenizer = parse_tokenizer(contents)
            except TokenizerFault:
                refused += 1
                continue
            with panics_raised():
                for text in ("q", "qq", "a q", *map(chr, range(1, 128))):
                    tokenizer.encode(text)
    assert 0 < refused < 8 * len(used)


def chain(length: int) -> bytes:
    """Return a trie that replaces one sequence of so many bytes, all of them 1; the children of each lie in a block of 256."""
    units = [0] * (256 * (length + 2))
    place = 0
    for block in range(256, 256 * (length + 1), 256):
        units[place] |= (place ^ block) << 10
        place = block ^ 1
        units[place] = 1
    units[place] |= 1 << 8 | (place ^ 256 * (length + 1)) << 10
    units[256 * (length + 1)] = 1 << 31
    return struct.pack(f"<{len(units)}I", *units)


def test_a_map_of_sequences_without_end_is_refused() -> None:
    tokenizer = parse_tokenizer(crafted(normalizer=precompiled(chain(1), None, b"good\0")))
    assert tokenizer.encode("\1").tokens == ["[CLS]", "good", "[SEP]"]
    parse_tokenizer(crafted(normalizer=precompiled(chain(255))))
    with pytest.raises(TokenizerFault, match="its trie is more than 256 bytes deep"):
        parse_tokenizer(crafted(normalizer=precompiled(chain(256))))


def test_a_published_map_is_sound(shared: Callable[[str], Path]) -> None:
    file = json.loads(shared("cases/checkpoints/xlnetj/tokenizer.json").read_text("utf-8"))
    maps = [part["precompiled_charsmap"] for part in file["normalizer"]["normalizers"] if "precompiled_charsmap" in part]
    assert [*map(check_character_map, maps)] == [18]
    parse_tokenizer(json.dumps(file).encode())


def test_only_a_panic_becomes_an_exception() -> None:
    for error in (KeyboardInterrupt, SystemExit, GeneratorExit, ValueError):
        with pytest.raises(error), panics_raised():
            raise error
    library = Tokenizer.from_str(UNLUCKY_AT_SOME_TEXT["a catastrophic regex"].decode())
    with pytest.raises(LibraryPanic, match="retry-limit-in-match over"), panics_raised():
        library.encode("a" * 40 + "!")


def test_threads_get_each_its_own_failures(bundle_folder: Path) -> None:
    tokenizer = open_tokenizer(bundle_folder, UNLUCKY_AT_SOME_TEXT["a catastrophic regex"])
    outcomes: list[bool] = []

    def run(text: str) -> None:
        outcomes.append(isinstance(tokenizer.encode_each([text])[0], TextError) == ("!" in text))

    threads = [threading.Thread(target=run, args=("a" * 40 + "!" * (index % 2),)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 8
