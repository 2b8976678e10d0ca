"""Folders with a SentencePiece model and no tokenizer.json: the ids are SentencePiece's own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.normalizers import Normalizer, Sequence

from sentiment_edge.export import CheckpointError
from sentiment_edge_export.checkpoints.tokenization.pieces.character_rules import (
    FOREIGN,
    character_rules,
    clear_private,
    is_private,
)
from sentiment_edge_export.checkpoints.tokenization.pieces.from_pieces import BuiltTokenizer, build_from_pieces
from sentiment_edge_export.checkpoints.tokenization.pieces.sentencepiece_model import read_model
from sentiment_edge_export.checkpoints.tokenization.settings import read_settings
from sentiment_edge_export.parity.texts import parity_texts

BPE, XLMR, DEBERTA = "sentencepiece.bpe.model", "XLMRobertaTokenizer", "DebertaV2Tokenizer"
ROOM = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3}
BRACKETS = {**ROOM, "pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"}
SYMBOLS = ["<eop>", ".", "(", ")", "-", "–", "£", "€"]  # noqa: RUF001 - XLNet's
XLNET = {"control_symbols": ["<cls>", "<sep>", "<pad>", "<mask>", "<eod>"], "user_defined_symbols": SYMBOLS}
ALBERT = {
    "pad_id": 0,
    "unk_id": 1,
    "bos_id": -1,
    "eos_id": -1,
    "control_symbols": ["[CLS]", "[SEP]"],
    "user_defined_symbols": ["[MASK]", *SYMBOLS[1:]],
}
UNDER = {"control_symbols": ["[CLS]", "[SEP]", "[MASK]"]}
KINDS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "xlmr": (XLMR, BPE, {}, {}),
    "xlmr-bpe": (XLMR, BPE, {}, {"model_type": "bpe"}),
    "xlmr-casefolded": (XLMR, BPE, {}, {"normalization_rule_name": "nmt_nfkc_cf"}),
    "xlmr-as-it-is": (XLMR, BPE, {}, {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}),
    "xlmr-no-prefix": (XLMR, BPE, {}, {"add_dummy_prefix": False}),
    "xlmr-bytes": (XLMR, BPE, {}, {"byte_fallback": True, "vocab_size": 800}),
    "xlmr-beyond-words": (XLMR, BPE, {"additional_special_tokens": ["<user>"]}, {"split_by_whitespace": False}),
    "camembert": ("CamembertTokenizer", BPE, {}, {}),
    "deberta": (DEBERTA, "spm.model", {"do_lower_case": True}, BRACKETS),
    "deberta-bpe": (DEBERTA, "spm.model", {}, {**BRACKETS, "model_type": "bpe", "byte_fallback": True, "vocab_size": 800}),
    "albert": ("AlbertTokenizer", "spiece.model", {}, ALBERT),
    "xlnet": ("XLNetTokenizer", "spiece.model", {}, XLNET),
    "bigbird": ("BigBirdTokenizer", "spiece.model", {}, {**ROOM, "user_defined_symbols": ["[SEP]", "[CLS]", "[MASK]"]}),
    "fnet": ("FNetTokenizer", "spiece.model", {}, {**UNDER, "pad_id": 3}),
    "rembert": ("RemBertTokenizer", "sentencepiece.model", {}, {**UNDER, **BRACKETS, "bos_id": -1, "eos_id": -1, "unk_id": 1}),
}
PARTS = [
    *["<s>", "</s>", "<pad>", " <mask> ", "[MASK]", "[SEP]", "<eop>", "<user>", "＜ｓ＞", "<\1s>", "<0x41>", "▁", " ", "   "],  # noqa: RUF001
    *["\0", "\t", "\r\n", "\x85", "\u00a0", "\u3000", "\u200b", "\u200d", "\ufeff", "\u2028", "…", "ﬁ", "™", "½", "①", "ﷺ"],
    *[
        "\uff45\u0301",
        "e\u0302\u0301",
        "a\u0323\u0301",
        "\u1100\u1161\u11a8",
        "か\u3099",
        "ｶﾞ",
        "á\u0301",
        "\u03b1\u0314\u0345",
        "²\ufe0f",
    ],
    *["👩‍👩‍👧", "👍🏽", "🇩🇪", "☹️", "İ", "ß", "ΑΣ", "ǅ", "``", "''", "9,9", "(", "–", "€", "the", " film", " GOOD", ".", "好"],  # noqa: RUF001
]
TEXTS = st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=6)), max_size=12).map("".join)
MARKS = st.characters(categories=["M"])
LETTERS = st.characters(categories=["L", "M", "N", "S", "Cc", "Cf"])
NORMALIZED = st.lists(st.one_of(st.sampled_from(PARTS), MARKS, LETTERS, st.characters(codec="utf-8")), max_size=12).map("".join)


@cache
def trained(**options: Any) -> bytes:
    """Train a model on the parity texts."""
    texts = [text for text in parity_texts() if len(text) < 2000 and "\0" not in text]
    usual: dict[str, Any] = {
        "vocab_size": 500,
        "hard_vocab_limit": False,
        "minloglevel": 2,
        "num_threads": 1,
        "unk_id": 0,
        "bos_id": 1,
        "eos_id": 2,
    }
    usual |= {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    model = io.BytesIO()
    train: Any = sentencepiece.SentencePieceTrainer.train
    train(sentence_iterator=iter(texts), model_writer=model, **usual)
    return model.getvalue()


def model_with(options: dict[str, Any]) -> bytes:
    return trained(**{name: tuple(value) if isinstance(value, list) else value for name, value in options.items()})


def write_folder(folder: Path, kind: str, **more: Any) -> Path:
    name, file, stated, options = KINDS[kind]
    folder.mkdir(exist_ok=True)
    (folder / file).write_bytes(model_with(options))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name, **stated, **more}))
    return folder


def built(folder: Path) -> BuiltTokenizer:
    tokenizer = build_from_pieces(read_settings(folder))
    assert tokenizer
    return tokenizer


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], BuiltTokenizer]:
    return cache(lambda kind: built(write_folder(tmp_path_factory.mktemp("pieces"), kind)))


@pytest.mark.parametrize("case", ["cardiff_xlmr", "deberta_v3"])
def test_ids_of_the_releases_that_models_were_trained_with(case: str, shared: Callable[[str], Path]) -> None:
    folder = shared(f"cases/checkpoints/{case}")
    tokenizer = built(folder)
    for line in (folder / "golden.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        assert tokenizer.library.encode(row["text"]).ids == row["ids"]
        assert tokenizer.reference.ids(row["text"]) == row["ids"]


@pytest.mark.parametrize("kind", KINDS)
def test_parity_texts(kind: str, tokenizers: Callable[[str], BuiltTokenizer]) -> None:
    tokenizer = tokenizers(kind)
    texts = [*parity_texts(), *PARTS, "x" * 5000, "3,000 and 19,500"]
    named = [text for text in texts if not same(tokenizer, text)]
    assert len(named) < len(texts) / 20


@given(text=TEXTS, kind=st.sampled_from([*KINDS]))
@settings(max_examples=400, deadline=None)
def test_every_text(text: str, kind: str, tokenizers: Callable[[str], BuiltTokenizer]) -> None:
    same(tokenizers(kind), text)


def same(tokenizer: BuiltTokenizer, text: str) -> bool:
    """Tell whether the ids are the reference's; if not, the difference has a name."""
    if tokenizer.library.encode(text).ids == tokenizer.reference.ids(text):
        return True
    assert tokenizer.reference.named
    assert tokenizer.reference.named(text)
    return False


@pytest.mark.parametrize("rule", ["nmt_nfkc", "nmt_nfkc_cf"])
def test_every_character_is_normalized_as_sentencepiece_does(rule: str, tmp_path: Path) -> None:
    ours, theirs = normalizers(rule, tmp_path)
    for begin in range(0, 0x110000, 0x400):
        several = [chr(code) for code in range(begin, begin + 0x400) if not 0xD800 <= code < 0xE000]
        text = "|".join(c for c in several if not is_private(c))
        assert ours.normalize_str(text) == theirs(text)


def test_characters_that_join_are_normalized_as_sentencepiece_does(tmp_path: Path) -> None:
    both = [normalizers(rule, tmp_path) for rule in ("nmt_nfkc", "nmt_nfkc_cf")]

    @given(text=NORMALIZED, place=st.sampled_from([0, 1]))
    @settings(max_examples=1000, deadline=None)
    def check(text: str, place: int) -> None:
        ours, theirs = both[place]
        text = "".join(FOREIGN if is_private(character) else character for character in text)  # they are alike to every model
        assert ours.normalize_str(text) == theirs(text)

    check()


def normalizers(rule: str, folder: Path) -> tuple[Normalizer, Callable[[str], str]]:
    """Return the library's normalizer and SentencePiece's, of one map of characters."""
    path = folder / f"{rule}.model"
    path.write_bytes(model_with({} if rule == "nmt_nfkc" else {"normalization_rule_name": rule}))
    theirs = sentencepiece.SentencePieceNormalizer(
        model_file=str(path), add_dummy_prefix=False, escape_whitespaces=False, remove_extra_whitespaces=False
    )
    character_map = read_model(path).character_map
    assert character_map
    return Sequence([clear_private(), *character_rules(character_map)]), theirs.normalize


def test_special_tokens_of_the_settings(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", "xlmr", additional_special_tokens=["<user>"], mask_token="[M]")
    (folder / "added_tokens.json").write_text('{"[NEW]": 900}')
    tokenizer = built(folder)
    vocabulary = tokenizer.library.get_vocab()
    assert vocabulary["[NEW]"] == 900
    for text in ("a[M] <user>[NEW]<mask>", " [M]", "<user>"):
        assert tokenizer.library.encode(text).ids == tokenizer.reference.ids(text)


def test_flags_and_names_of_more_special_tokens(tmp_path: Path) -> None:
    token = {"content": "<user>", "lstrip": True, "rstrip": True}
    folder = write_folder(
        tmp_path / "model", "xlmr", additional_special_tokens=[token], extra_special_tokens={"link_token": "<link>"}
    )
    built = build_from_pieces(read_settings(folder))
    assert built
    added = built.library.get_added_tokens_decoder().values()
    assert {"<user>", "<link>"} <= {token.content for token in added}
    assert next(token for token in added if token.content == "<user>").rstrip
    for text in ("a <user> b", "<link><user>", "a <link> b"):
        assert built.library.encode(text).ids == built.reference.ids(text)


def test_two_splits_that_score_the_same_are_named(tokenizers: Callable[[str], BuiltTokenizer]) -> None:
    tokenizer = tokenizers("xlmr")
    texts = [f"{'so good ' * count}{'!' * more}" for count in range(12) for more in range(12)]
    differing = [text for text in texts if not same(tokenizer, text)]
    assert all("score the same" in str(tokenizer.reference.named and tokenizer.reference.named(text)) for text in differing)
    assert tokenizer.reference.named
    assert tokenizer.reference.named("The film was good.") is None


@pytest.mark.parametrize("kind", ["xlmr", "deberta-bpe"])
def test_reserved_code_points(kind: str, tokenizers: Callable[[str], BuiltTokenizer]) -> None:
    assert same(tokenizers(kind), "a\U000e0f00b\U000e0fff") == (kind == "xlmr")


def test_a_class_that_is_not_known_is_left_to_others(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", "xlmr", tokenizer_class="LlamaTokenizer")
    assert build_from_pieces(read_settings(folder)) is None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-3], "not a SentencePiece model"),
        (lambda _: b"", "has 0 bytes"),
        (lambda data: b"\x0a\x03abc" + data, "not a SentencePiece model"),
        (lambda data: data[: len(data) // 2], "not a SentencePiece model"),
    ],
)
def test_damaged_models(damage: Callable[[bytes], bytes], message: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", "xlmr")
    (folder / BPE).write_bytes(damage((folder / BPE).read_bytes()))
    is_refused(folder, message)


@pytest.mark.parametrize(
    ("options", "stated", "message"),
    [
        ({"model_type": "char"}, {}, "splits into words or characters"),
        ({"treat_whitespace_as_suffix": True}, {}, "keeps spaces after words"),
        ({"unk_id": 2, "bos_id": 0, "eos_id": 1}, {}, "not those that the tokenizer's class expects"),
        ({}, {"sp_model_kwargs": {"enable_sampling": True}}, "sp_model_kwargs in tokenizer_config.json cannot be followed"),
        ({}, {"sep_token": None}, "take sep_token away"),
    ],
)
def test_models_that_cannot_be_exported(options: dict[str, Any], stated: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", "xlmr", **stated)
    (folder / BPE).write_bytes(model_with(options))
    is_refused(folder, message)


def is_refused(folder: Path, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        build_from_pieces(read_settings(folder))
    assert "\n" not in str(caught.value)
