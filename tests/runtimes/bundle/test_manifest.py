from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_edge_runtimes.bundle import (
    CARD,
    FORMAT_VERSION,
    Fp32Weight,
    Interface,
    Manifest,
    Recipe,
    Source,
    SpecialTokens,
    Tensor,
)
from sentiment_edge_runtimes.bundle.manifest import UnknownFormat
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE
from sentiment_edge_runtimes.limits import LARGEST_BATCH, LARGEST_FIXED_BATCH, LONGEST, SHORTEST
from sentiment_edge_runtimes.vocabulary import (
    ACTIVATIONS,
    ENGINES,
    INFERENCE_PRECISIONS,
    PADDINGS,
    PRECISIONS,
    SCHEMES,
    TRUNCATIONS,
)

STORED = json.loads((DEFAULT_BUNDLE / "manifest.json").read_text("utf-8"))
OPTIONAL = {"inference_precision", "quantization", "source", "built_with", "tokenizer_reference"}
OPTIONAL |= {"padding_side", "special_tokens", "models"}
WORDS = st.text(max_size=8)
SHARES = st.floats(0, 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
RECIPES = st.builds(
    Recipe,
    scheme=st.sampled_from(SCHEMES),
    weights=WORDS,
    activations=WORDS,
    fp32=st.lists(st.builds(Fp32Weight, WORDS, SHARES, SHARES), max_size=2).map(tuple),
)
SHAPES = st.lists(WORDS | st.integers(), max_size=3).map(tuple)
TENSORS = st.lists(st.builds(Tensor, WORDS, WORDS, SHAPES), max_size=2).map(tuple)
SETTINGS, TOLERANCES = (st.dictionaries(WORDS, values, max_size=2) for values in (WORDS, SHARES))
MODELS = st.builds(Interface, TENSORS, TENSORS, SETTINGS, TOLERANCES)
IDS = st.lists(st.integers(0, 2**31 - 1), max_size=2).map(tuple)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    files = draw(st.dictionaries(WORDS.filter(lambda name: name != CARD), st.integers(0, 2**40), min_size=1, max_size=4))
    max_length = draw(st.integers(SHORTEST, LONGEST))
    padding = draw(st.sampled_from(PADDINGS))
    shorter = draw(st.sets(st.integers(1, max_length), max_size=0 if padding == "unpadded" else 4))
    return Manifest(
        family=draw(WORDS),
        precision=draw(st.sampled_from(PRECISIONS)),
        labels=tuple(draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        max_length=max_length,
        lengths=tuple(sorted({*shorter, max_length})),
        batch=draw(st.none() | st.integers(1, min(LARGEST_BATCH, LARGEST_FIXED_BATCH // max_length))),
        pad_id=draw(st.integers(0, 2**31 - 1)),
        padding=padding,
        truncation=draw(st.sampled_from(TRUNCATIONS)),
        engines=draw(st.dictionaries(st.sampled_from(ENGINES), st.sampled_from(sorted(files)), min_size=1)),
        inference_precision=draw(st.sampled_from(INFERENCE_PRECISIONS)),
        quantization=draw(st.dictionaries(st.sampled_from(ENGINES), RECIPES)),
        models=draw(st.dictionaries(st.sampled_from(ENGINES), MODELS)),
        special_tokens=draw(st.none() | st.builds(SpecialTokens, IDS, IDS)),
        nodes=draw(st.dictionaries(WORDS, st.integers(0, 999), max_size=3)),
        source=draw(st.builds(Source, *[st.none() | WORDS] * 3)),
        built_with=draw(st.dictionaries(WORDS, WORDS, max_size=3)),
        parity=draw(st.dictionaries(WORDS, JSON, max_size=3)),
        files=files,
    )


@given(manifests())
def test_a_manifest_comes_back_from_json_as_it_was(manifest: Manifest) -> None:
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


@given(manifests())
def test_only_a_manifest_that_earlier_releases_would_misread_is_newer(manifest: Manifest) -> None:
    written = manifest.to_json()
    assert written["format_version"] == (FORMAT_VERSION if manifest.padding == "unpadded" else 1)
    assert manifest.grid == (None if manifest.padding == "unpadded" else manifest.lengths)
    if manifest.padding == "unpadded":
        with pytest.raises(ValueError, match="padding is 'unpadded', not one of packed, padded"):
            Manifest.from_json({**written, "format_version": 1})
        with pytest.raises(ValueError, match="lengths must be max_length alone where padding is unpadded"):
            Manifest.from_json({**written, "lengths": [1, manifest.max_length]})
    else:
        assert Manifest.from_json({**written, "format_version": FORMAT_VERSION}) == manifest


def test_the_default_bundles_manifest_is_written_as_it_was_read() -> None:
    files = {name: size for name, size in STORED["files"].items() if name != CARD}
    assert Manifest.from_json(STORED).to_json() == {**STORED, "files": files}


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 2**40])
def test_a_newer_format_is_refused_whatever_else_is_in_it(version: int) -> None:
    with pytest.raises(UnknownFormat) as refusal:
        Manifest.from_json({"format_version": version})
    assert refusal.value.version == version


@pytest.mark.parametrize("scheme", ["per-word", "Static", "", None, 3, ["static"]])
def test_an_unknown_scheme_is_refused(scheme: object) -> None:
    recipe = {**STORED["quantization"]["onnxruntime"], "scheme": scheme}
    with pytest.raises(ValueError, match="scheme is"):
        Manifest.from_json({**STORED, "quantization": {"onnxruntime": recipe}})


@pytest.mark.parametrize("name", ["precision", "activation", "padding", "truncation", "inference_precision"])
def test_a_value_outside_a_closed_set_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 'other', not one of "):
        Manifest.from_json({**STORED, name: "other"})


WRONG = [
    (name, value)
    for name in STORED
    for value in (2.5, True, "text", {"x": None}, [None])
    if not (name in {"family", "tokenizer_reference"} and isinstance(value, str))
    and not (name in {"quantization", "source", "built_with", "parity", "models"} and isinstance(value, dict))
]
"""Fields and values of which each field takes none: those left out take any text or any names."""


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_a_field_of_a_wrong_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        Manifest.from_json({**STORED, name: value})
    assert not isinstance(refusal.value, UnknownFormat)


@pytest.mark.parametrize("name", STORED)
def test_a_field_that_is_missing_is_named_unless_it_has_a_default(name: str) -> None:
    rest = {key: value for key, value in STORED.items() if key != name}
    if name in OPTIONAL:
        assert Manifest.from_json(rest).labels == ("negative", "positive")
    else:
        with pytest.raises(ValueError, match=f"it has no {name}"):
            Manifest.from_json(rest)


@given(st.sampled_from(["drift", "share", "weight"]), JSON | st.just(10**400))
def test_a_weight_that_stayed_fp32_is_read_or_refused(name: str, value: object) -> None:
    weight = {"weight": "w", "drift": 0.1, "share": 0.1, name: value}
    recipe = {**STORED["quantization"]["onnxruntime"], "fp32": [weight]}
    with suppress(ValueError):
        Manifest.from_json({**STORED, "quantization": {"onnxruntime": recipe}})


def test_what_a_later_release_adds_is_passed_over() -> None:
    later = {**STORED, "colour": "blue", "engines": {**STORED["engines"], "abacus": "config.json"}}
    assert Manifest.from_json(later) == Manifest.from_json(STORED)


def test_rows_of_golden_outputs_have_a_key_for_each_engine() -> None:
    both = dict.fromkeys(ENGINES[::-1], "config.json")
    manifest = Manifest.from_json({**STORED, "engines": both})
    assert [manifest.golden_key(engine) for engine in ENGINES] == ["logits_onnxruntime", "logits"]


def test_the_model_card_is_none_of_the_files() -> None:
    older = {**STORED, "files": {**STORED["files"], CARD: 1}}
    assert Manifest.from_json(older) == Manifest.from_json(STORED)
    with pytest.raises(ValueError, match=r"onnxruntime is 'README.md', not one of"):
        Manifest.from_json({**older, "engines": {"onnxruntime": CARD}})
