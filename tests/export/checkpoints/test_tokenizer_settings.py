"""Settings beside tokenizer.json, and older files in its place: read as transformers does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.tokenizer_folders import (
    BYTE_PIECES,
    WORD_PIECES,
    tokens,
    word_pieces,
    write_byte_pieces,
    write_settings,
    write_word_pieces,
)
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken

from sentiment_edge_export.checkpoints.tokenization.checkpoint_tokenizer import CheckpointTokenizer
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.parity.tokens import compare_tokenizer

WORD_FILES = ("tokenizer.json", "vocab.txt")
BYTE_FILES = ("tokenizer.json", "vocab.json")
CASES = (
    "gpt2",
    "longformer",
    "mobilebert",
    "modernbert",
    "nlptown",
    "no_architectures",
    "no_postproc",
    "rob_prefix",
    "strip_cfg",
)
CUT_AT = {"nlptown": 48}
NO_LIMIT = 10**6


@pytest.mark.parametrize("case", CASES)
def test_golden_ids(shared: Callable[[str], Path], case: str) -> None:
    folder = shared(f"cases/checkpoints/{case}")
    tokenizer = CheckpointTokenizer(folder)
    for line in (folder / "golden.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        assert tokenizer.ids(row["text"], CUT_AT.get(case, NO_LIMIT), "tokenizer") == row["ids"], row["text"]


@pytest.mark.parametrize("file", WORD_FILES)
class TestWordPieces:
    """BERT and its like."""

    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({}, "ete 的 的 film"),
            ({"do_lower_case": True}, "ete 的 的 film"),
            ({"do_lower_case": False}, "Éte 的 的 Film"),
            ({"do_lower_case": False, "strip_accents": True}, "Ete 的 的 Film"),
            ({"strip_accents": False}, "éte 的 的 film"),
            ({"tokenize_chinese_chars": False}, "ete 的的 film"),
            ({"do_lower_case": False, "tokenizer_class": "DistilBertTokenizerFast"}, "Éte 的 的 Film"),
        ],
    )
    def test_case_accents_and_chinese(self, tmp_path: Path, file: str, settings: dict[str, Any], expected: str) -> None:
        folder = write_settings(tmp_path, "bert", tokenizer_config=settings)
        write_word_pieces(folder, file)
        assert " ".join(tokens(folder, "Éte 的的 Film")).replace(" ##", "") == expected
        assert CheckpointTokenizer(folder).reference.name.startswith("transformers ")

    @pytest.mark.parametrize(
        "files",
        [
            {"tokenizer_config": {"added_tokens_decoder": {str(len(WORD_PIECES)): {"content": "@User", "normalized": False}}}},
            {"tokenizer_config": {"additional_special_tokens": ["@User"]}},
            {"tokenizer_config": {"extra_special_tokens": {"user_token": "@User"}}},
            {"tokenizer_config": {"extra_special_tokens": ["@User"]}},
            {"special_tokens_map": {"additional_special_tokens": [{"content": "@User"}]}},
            {"added_tokens": {"@User": len(WORD_PIECES)}, "special_tokens_map": {"additional_special_tokens": ["@User"]}},
        ],
    )
    def test_added_tokens(self, tmp_path: Path, file: str, files: dict[str, Any]) -> None:
        folder = write_settings(tmp_path, "bert", **files)
        write_word_pieces(folder, file)
        assert tokens(folder, "a @User !") == ["a", "@User", "!"]
        assert CheckpointTokenizer(folder).library.token_to_id("@User") == len(WORD_PIECES)

    def test_lists_of_tokens_in_both_files_count(self, tmp_path: Path, file: str) -> None:
        one, other = ({"additional_special_tokens": [text]} for text in ("@User", "@Link"))
        folder = write_settings(tmp_path, "bert", tokenizer_config=one, special_tokens_map=other)
        write_word_pieces(folder, file)
        assert tokens(folder, "@Link @User") == ["@Link", "@User"]
        assert CheckpointTokenizer(folder).library.token_to_id("@User") == len(WORD_PIECES)
        compare_tokenizer(CheckpointTokenizer(folder), [], 64, "tokenizer")

    def test_special_tokens_in_a_text(self, tmp_path: Path, file: str) -> None:
        folder = write_settings(tmp_path, "bert")
        write_word_pieces(folder, file)
        assert tokens(folder, "a [SEP] b[MASK]") == ["a", "[SEP]", "b", "[MASK]"]

    def test_capitals_that_are_lost_unasked_are_named(self, tmp_path: Path, file: str) -> None:
        unasked, asked = (write_settings(tmp_path / name, "bert") for name in ("unasked", "asked"))
        write_settings(asked, tokenizer_config={"do_lower_case": True})
        for folder in (unasked, asked):
            write_word_pieces(folder, file)
        (note,) = CheckpointTokenizer(unasked).notes
        assert '"do_lower_case": false' in note and "\n" not in note
        assert not CheckpointTokenizer(asked).notes


@pytest.mark.parametrize("file", BYTE_FILES)
class TestByteLevel:
    """RoBERTa and its like."""

    @pytest.mark.parametrize(("settings", "expected"), [({}, "good"), ({"add_prefix_space": True}, "Ġgo")])
    def test_a_space_before_a_text(self, tmp_path: Path, file: str, settings: dict[str, Any], expected: str) -> None:
        folder = write_settings(tmp_path, "roberta", tokenizer_config=settings)
        write_byte_pieces(folder, file)
        assert tokens(folder, "good")[0] == expected
        assert CheckpointTokenizer(folder).reference.name.startswith("transformers ")

    def test_the_mask_takes_the_space_before_it(self, tmp_path: Path, file: str) -> None:
        folder = write_settings(tmp_path, "roberta")
        write_byte_pieces(folder, file)
        assert tokens(folder, "go <mask> go") == ["go", " <mask>", "Ġgo"]

    def test_a_mask_without_flags_takes_the_space_before_it(self, tmp_path: Path, file: str) -> None:
        folder = write_settings(tmp_path, "roberta", special_tokens_map={"mask_token": "<mask>"})
        write_byte_pieces(folder, file)
        assert tokens(folder, "go <mask> go") == ["go", " <mask>", "Ġgo"]
        done = compare_tokenizer(CheckpointTokenizer(folder), [], 64, "tokenizer")
        assert done.reference.startswith("transformers ") and not done.differences

    @pytest.mark.parametrize("model_type", ["roberta", "bart", "gpt2"])
    def test_the_ids_are_those_of_the_reference(self, tmp_path: Path, file: str, model_type: str) -> None:
        folder = write_settings(tmp_path, model_type)
        write_byte_pieces(folder, file)
        tokenizer = CheckpointTokenizer(folder)
        for text in ("", "good going", " go\u00a0 <mask>x", "Ünïcödé 😀 </s>"):
            assert tokenizer.ids(text, NO_LIMIT, "tokenizer") == tokenizer.reference.ids(text)


@pytest.mark.parametrize(
    ("merges", "expected", "lost"),
    [
        ("#version: 0.2 - ours\ng o\nĠ go\ngo o\ngoo d\n\n\n", ["good"], None),
        ("#version: 0.2\r\ng o\r\nĠ go\r\ngo o\r\ngoo d\r\n", ["good"], None),
        ("#version: 0.2\ng o\nĠ go\ngo o\ngoo d", ["goo", "d"], "the last line"),
        ("g o\nĠ go\ngo o\ngoo d\n", ["g", "o", "o", "d"], "the first line"),
        ("g o", ["g", "o", "o", "d"], "the first line"),
    ],
)
def test_merges_of_an_unusual_form_are_read_as_in_transformers_4(
    tmp_path: Path, merges: str, expected: list[str], lost: str | None
) -> None:
    folder = write_settings(tmp_path, "roberta")
    write_byte_pieces(folder, "vocab.json")
    (folder / "merges.txt").write_bytes(merges.encode())
    assert tokens(folder, "good") == expected
    tokenizer = CheckpointTokenizer(folder)
    assert [lost in note for note in tokenizer.notes if lost] == [True] * bool(lost) and len(tokenizer.notes) == bool(lost)
    assert not lost or tokenizer.reference.name == "tokenizer.json itself"


def test_a_prefix_in_the_file_only_is_named(tmp_path: Path) -> None:
    folder = write_settings(tmp_path, "modernbert", tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast"})
    write_byte_pieces(folder, "tokenizer.json", prefix=True)
    assert tokens(folder, "go") == ["Ġgo"]
    (note,) = CheckpointTokenizer(folder).notes
    assert "add_prefix_space" in note and "\n" not in note
    write_settings(folder, tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": True})
    assert not CheckpointTokenizer(folder).notes


@pytest.mark.parametrize(("stated", "refused"), [({}, True), ({"truncation_side": "right"}, False)])
def test_a_cut_at_the_start_that_only_the_file_states(tmp_path: Path, stated: dict[str, str], refused: bool) -> None:
    folder = write_settings(tmp_path, "bert", tokenizer_config=stated)
    cut = word_pieces()
    cut.enable_truncation(8, direction="left")
    cut.save(str(folder / "tokenizer.json"))
    tokenizer = CheckpointTokenizer(folder)
    if not refused:
        tokenizer.check(len(WORD_PIECES), 16)
        assert tokenizer.library.truncation is None
        return
    with pytest.raises(CheckpointError, match="cuts long texts at their start"):
        tokenizer.check(len(WORD_PIECES), 16)


def test_a_prefix_in_the_file_that_the_class_does_not_have(tmp_path: Path) -> None:
    folder = write_settings(tmp_path, "roberta")
    write_byte_pieces(folder, "tokenizer.json", prefix=True)
    assert tokens(folder, "go") == ["go"]


def test_a_file_whose_class_has_no_settings_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = write_settings(
        tmp_path, "bert", tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": False}
    )
    write_word_pieces(folder, "tokenizer.json")
    assert tokens(folder, "Film") == ["film"]
    assert CheckpointTokenizer(folder).reference.name == "tokenizer.json itself"


def test_only_what_is_stated_counts_where_no_class_is_known(tmp_path: Path) -> None:
    folder = write_settings(tmp_path)
    write_word_pieces(folder, "tokenizer.json")
    assert tokens(folder, "Éa") == ["e", "##a"]
    write_settings(folder, tokenizer_config={"strip_accents": False})
    assert tokens(folder, "Éa") == ["é", "##a"]


def test_tokens_of_the_class_that_the_vocabulary_lacks_are_not_added(tmp_path: Path) -> None:
    folder = write_settings(tmp_path, "bert")
    word_pieces([piece for piece in WORD_PIECES if piece != "[MASK]"]).save(str(folder / "tokenizer.json"))
    tokenizer = CheckpointTokenizer(folder)
    assert tokenizer.library.get_vocab_size() == len(WORD_PIECES) - 1
    tokenizer.check(len(WORD_PIECES) - 1, 16)


def test_flags_of_an_added_token_are_those_that_are_stated(tmp_path: Path) -> None:
    folder = write_settings(
        tmp_path,
        "bert",
        tokenizer_config={"added_tokens_decoder": {"4": {"content": "[MASK]", "lstrip": True, "special": True}}},
    )
    tokenizer = word_pieces()
    tokenizer.add_tokens([AddedToken("[MASK]", special=True)])
    tokenizer.save(str(folder / "tokenizer.json"))
    assert CheckpointTokenizer(folder).library.get_added_tokens_decoder()[4].lstrip


def test_a_tokenizer_without_special_tokens_at_the_ends(tmp_path: Path) -> None:
    folder = write_settings(tmp_path, "bert", tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast"})
    bare = word_pieces()
    bare.post_processor = None
    bare.save(str(folder / "tokenizer.json"))
    tokenizer = CheckpointTokenizer(folder)
    tokenizer.check(len(WORD_PIECES), 8)
    assert tokenizer.ids("a film", 8, "tokenizer") == [WORD_PIECES.index("a"), WORD_PIECES.index("film")]
    assert tokenizer.ids("", 8, "tokenizer") == []


SETTINGS = [
    {"do_lower_case": lower, "strip_accents": strip, "tokenize_chinese_chars": chinese}
    for lower in (True, False)
    for strip in (True, False, None)
    for chinese in (True, False)
]


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> list[CheckpointTokenizer]:
    """A tokenizer for each setting, by turns of tokenizer.json and of vocab.txt."""
    found = []
    for index, settings in enumerate(SETTINGS):
        folder = write_settings(tmp_path_factory.mktemp("bert"), "bert", tokenizer_config=settings)
        write_word_pieces(folder, WORD_FILES[index % 2])
        found.append(CheckpointTokenizer(folder))
    return found


@given(
    text=st.text(
        st.one_of(st.sampled_from("aEéÉe\u0301İ\u0131ß的好 \t\n!'[SEP]film"), st.characters(exclude_categories=["Cs"]))
    ),
    index=st.integers(0, len(SETTINGS) - 1),
)
def test_any_text_has_the_ids_of_the_reference(configured: list[CheckpointTokenizer], text: str, index: int) -> None:
    tokenizer = configured[index]
    assert tokenizer.reference.name.endswith(" BertTokenizer")
    assert tokenizer.ids(text, NO_LIMIT, "tokenizer") == tokenizer.reference.ids(text)


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> list[CheckpointTokenizer]:
    """A tokenizer of each of the older classes, with a space before a text and without."""
    found = []
    for model_type in ("roberta", "gpt2"):
        for prefix in (True, False):
            settings = {"add_prefix_space": prefix}
            folder = write_settings(tmp_path_factory.mktemp(model_type), model_type, tokenizer_config=settings)
            write_byte_pieces(folder, "vocab.json")
            found.append(CheckpointTokenizer(folder))
    return found


@given(
    text=st.text(st.one_of(st.sampled_from("good G\n\t'<mask>\u00a0é"), st.characters(exclude_categories=["Cs"]))),
    index=st.integers(0, 3),
)
def test_any_text_in_bytes_has_the_ids_of_the_reference(byte_level: list[CheckpointTokenizer], text: str, index: int) -> None:
    tokenizer = byte_level[index]
    assert tokenizer.reference.name.startswith("transformers ")
    assert tokenizer.ids(text, NO_LIMIT, "tokenizer") == tokenizer.reference.ids(text)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"tokenizer_config": {"do_lower_case": "yes"}}, "do_lower_case is 'yes', not true or false"),
        ({"tokenizer_config": {"split_special_tokens": True}}, "split_special_tokens is set"),
        ({"tokenizer_config": {"added_tokens_decoder": []}}, "added_tokens_decoder is not"),
        ({"tokenizer_config": {"added_tokens_decoder": {"x": {"content": "y"}}}}, "no token in added_tokens_decoder at x"),
        ({"tokenizer_config": {"added_tokens_decoder": {"1": "y"}}}, "no token in added_tokens_decoder at 1"),
        ({"added_tokens": {"y": "1"}}, "y has no number"),
        ({"special_tokens_map": []}, "not a JSON object"),
    ],
)
@pytest.mark.parametrize("file", WORD_FILES)
def test_settings_that_are_none(tmp_path: Path, file: str, files: dict[str, Any], message: str) -> None:
    folder = write_settings(tmp_path, "bert", **files)
    write_word_pieces(folder, file)
    with pytest.raises(CheckpointError) as refusal:
        CheckpointTokenizer(folder).library  # noqa: B018
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"tokenizer_config": {"tokenizer_class": "BertJapaneseTokenizer"}},
            "no tokenizer.json can have the tokens of BertJapanese",
        ),
        ({"config": {"model_type": "esm"}}, "no tokenizer.json can have the tokens of EsmTokenizer: it reads proteins"),
        ({"tokenizer_config": {"tokenizer_class": "OurTokenizer"}}, "needs Python code (OurTokenizer"),
        ({"config": {"model_type": "bert", "auto_map": {"AutoTokenizer": ["code.OurTokenizer", None]}}}, "needs Python code"),
        ({"tokenizer_config": {"tokenizer_class": "HerbertTokenizer"}}, "are not those of HerbertTokenizer"),
        ({"tokenizer_config": {"tokenizer_class": "RobertaTokenizer"}}, "are not those of RobertaTokenizer"),
        ({"tokenizer_config": {"unk_token": "<unk>"}}, "lacks <unk>"),
    ],
)
def test_older_files_that_make_no_tokenizer(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], files: dict[str, Any], message: str
) -> None:
    folder = write_settings(tmp_path, "bert", **files)
    write_word_pieces(folder, "vocab.txt")
    with pytest.raises(CheckpointError) as refusal:
        CheckpointTokenizer(folder).library  # noqa: B018
    assert message in str(refusal.value) and "\n" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("merges.txt", "#version\ng o\nno such pair\n", "are not of one tokenizer"),
        ("merges.txt", "#version\nq u\n", "are not of one tokenizer"),
        ("merges.txt", b"\xff", "not merges, a pair per line"),
        ("vocab.json", json.dumps({"<s>": "0"}), "are not of one tokenizer"),
        ("vocab.json", json.dumps({piece: index for index, piece in enumerate([*BYTE_PIECES[3:], "goo"])}), "lacks </s>, <s>"),
    ],
)
def test_byte_pieces_that_do_not_fit(tmp_path: Path, name: str, contents: str | bytes, message: str) -> None:
    folder = write_settings(tmp_path, "roberta")
    write_byte_pieces(folder, "vocab.json")
    (folder / name).write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    with pytest.raises(CheckpointError) as refusal:
        CheckpointTokenizer(folder).library  # noqa: B018
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


def test_code_beside_a_tokenizer_file_is_named(tmp_path: Path) -> None:
    settings = {"auto_map": {"AutoTokenizer": ["code.OurTokenizer", None]}, "tokenizer_class": "OurTokenizer"}
    folder = write_settings(tmp_path, "bert", tokenizer_config=settings)
    write_word_pieces(folder, "tokenizer.json")
    tokenizer = CheckpointTokenizer(folder)
    assert any("never runs" in note for note in tokenizer.notes)
    assert tokenizer.reference.name == "tokenizer.json itself"
    assert "auto_map" not in tokenizer.stated()
