from __future__ import annotations

from pathlib import Path

import pytest
from helpers.support import edit_manifest, put_file
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from sentiment_edge import BundleInvalid, InputError, load
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.tokenization import TextTokenizer, text_tokenizer

BUNDLE = Bundle.open(DEFAULT_BUNDLE)
ONE, TWO = (TextTokenizer(BUNDLE, threads) for threads in (1, 2))
PLAIN = Tokenizer.from_file(str(DEFAULT_BUNDLE / "tokenizer.json"))
PLAIN.no_padding()
PLAIN.enable_truncation(BUNDLE.manifest.max_length)


@given(st.lists(st.text(max_size=300), max_size=4))
def test_ids_are_the_librarys_own(texts: list[str]) -> None:
    encodable = [text.encode("utf-8", "replace").decode() for text in texts]
    expected = [PLAIN.encode(text) for text in encodable]
    for tokenizer in (ONE, TWO):
        tokens = tokenizer.encode(texts)
        assert [text.ids for text in tokens] == [encoding.ids for encoding in expected]
        assert [text.truncated for text in tokens] == [bool(encoding.overflowing) for encoding in expected]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.sampled_from(["good", "unbelievably", "!?", "x" * 90, "y" * 4000, " " * 4000, "好", "e\u0301", "\n"]), min_size=1
    ),
    st.integers(1, 200),
    st.sampled_from(["", " "]),
)
def test_a_long_text_is_read_only_as_far_as_it_matters(words: list[str], times: int, joint: str) -> None:
    text = joint.join(words * times)[:400_000]
    (tokens,) = ONE.encode([text])
    expected = PLAIN.encode(text)
    assert (tokens.ids, tokens.truncated) == (expected.ids, bool(expected.overflowing))


def test_padding_and_truncation_in_the_file_are_neutralized(bundle_folder: Path) -> None:
    path = bundle_folder / "tokenizer.json"
    baked = Tokenizer.from_file(str(path))
    baked.enable_padding(length=64)
    baked.enable_truncation(4)
    put_file(bundle_folder, path.name, baked.to_str().encode())
    text = "the first half drags, the second half flies"
    assert load(bundle_folder)(text) == load()(text)


def test_a_tokenizer_that_is_none_is_named(bundle_folder: Path) -> None:
    put_file(bundle_folder, "tokenizer.json", b"{}")
    with pytest.raises(BundleInvalid, match=r"tokenizer.json cannot be read"):
        load(bundle_folder)


def test_a_model_whose_special_tokens_go_unread_is_explained_as_it_is_asked(bundle_folder: Path) -> None:
    edit_manifest(bundle_folder, truncation="plain")
    classifier, text = load(bundle_folder), "good film " * 100
    explanation = classifier.explain(text)
    assert len(explanation.tokens) == classifier.bundle.manifest.max_length
    assert explanation.tokens[-1].token == "good"  # not [SEP]
    assert explanation.prediction.truncated
    assert explanation.prediction.scores == pytest.approx(classifier(text).scores, abs=1e-5)


def test_a_library_that_panics_at_the_settings_is_one_line(bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """Named as PyO3's."""

    class Unlucky:
        def no_padding(self) -> None:
            raise PanicException("index out of bounds\nmore")

    monkeypatch.setattr(text_tokenizer, "read_tokenizer", lambda _: Unlucky())
    with pytest.raises(BundleInvalid, match=r"tokenizer\.json cannot be read \(index out of bounds\); export it again$"):
        load(bundle_folder)


def test_an_end_that_goes_unseen_is_said() -> None:
    for text in (" " * 2_000_000 + "good", "x" * 2_000_000 + " good"):
        assert load()(text).truncated
        assert load().explain(text).prediction.truncated


@pytest.mark.parametrize("bad", [3, 3.5, b"bytes", ["nested"]])
def test_what_is_not_a_string_is_named(bad: object) -> None:
    with pytest.raises(InputError, match=f"must be a string, not {type(bad).__name__}"):
        load()(["fine", bad])  # type: ignore[list-item]
