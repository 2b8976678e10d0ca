"""Options that cannot be used, or would do nothing, are refused by name: before anything is read, wherever that can be told."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from helpers.invocation import invoke

from sentiment_edge.export import BurnOptions, GateOptions, GraphOptions, Int8Options, SourceOptions, export_model
from sentiment_edge_export.checkpoints import checkpoint as checkpoint_module
from sentiment_edge_export.options import ExportOptions
from sentiment_edge_runtimes.errors import OptionError

ABSENT = "owner/name"
"""A model that would have to be fetched."""
FAMILIES = {"gru": "gru-attention", "bert": "sequence-classification", "burn": "burn-transformer"}


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Whoever looks for a checkpoint fails; the folder that must stay empty."""

    def fetch(*_: object, **__: object) -> Path:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(checkpoint_module, "download", fetch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


UNUSABLE: list[tuple[type, dict[str, Any], str]] = [
    (BurnOptions, {"heads": 0}, "0 is not a whole number from 1 to 65536"),
    (BurnOptions, {"heads": True}, "True is not a whole number"),
    (BurnOptions, {"norm": "x"}, "'x' is not one of first, last"),
    (BurnOptions, {"norm": True}, "True is not one of first, last"),
    (BurnOptions, {"quiet_softmax": "x"}, "'x' is not one of off, legacy, softmax1"),
    (SourceOptions, {"labels": "negative,positive"}, "several strings in a list or tuple, not 'negative,positive'"),
    (SourceOptions, {"labels": ["good", "good"]}, "good, good: give each class a name of its own"),
    (SourceOptions, {"labels": ["good", " "]}, "give each class a name of its own"),
    (SourceOptions, {"labels": []}, "none: give each class a name of its own"),
    (SourceOptions, {"labels": [1, 2]}, "it must hold strings only, not 1"),
    (SourceOptions, {"labels": 3}, "several strings in a list or tuple, not 3"),
    (GraphOptions, {"fixed_length": 2}, "2 is not a whole number from 3 to 65536"),
    (GraphOptions, {"fixed_length": 16.0}, "16.0 is not a whole number"),
    (GraphOptions, {"fixed_length": 2**16 + 1}, "65537 is not a whole number from 3 to 65536"),
    (GraphOptions, {"max_length": 2}, "2 is not a whole number from 3 to 65536"),
    (GraphOptions, {"max_length": True}, "True is not a whole number from 3 to 65536"),
    (GraphOptions, {"fixed_batch": 0}, "0 is not a whole number from 1 to 4096"),
    (GraphOptions, {"fixed_batch": 4097}, "4097 is not a whole number from 1 to 4096"),
    (GraphOptions, {"fusion": "no"}, "'no' is neither True nor False"),
    (GraphOptions, {"padding": "x"}, "'x' is not one of packed, padded"),
    (GraphOptions, {"inference_precision": "x"}, "'x' is not one of f32, bf16"),
    (Int8Options, {"quantization": "x"}, "'x' is not one of per-token, static, per-tensor"),
    (Int8Options, {"calibration": "one text"}, "several strings in a list or tuple, not 'one text'"),
    (Int8Options, {"calibration": ["a", None]}, "it must hold strings only, not None"),
    (Int8Options, {"max_fp32_share": 1.5}, "1.5 is not a number from 0 to 1"),
    (Int8Options, {"max_fp32_share": -0.1}, "-0.1 is not a number from 0 to 1"),
    (Int8Options, {"max_fp32_share": math.nan}, "nan is not a number from 0 to 1"),
    (Int8Options, {"max_fp32_share": "0.1"}, "'0.1' is not a number from 0 to 1"),
    (GateOptions, {"texts": "one text"}, "several strings in a list or tuple, not 'one text'"),
    (GateOptions, {"min_agreement": 1.5}, "1.5 is not a number from 0 to 1"),
    (GateOptions, {"min_agreement": math.nan}, "nan is not a number from 0 to 1"),
    (GateOptions, {"max_mean_drift": -1}, "-1 is not a number from 0 to 1"),
    (GateOptions, {"max_mean_drift": math.nan}, "nan is not a number from 0 to 1"),
    (GateOptions, {"max_logit_difference": -1e-9}, "-1e-09 is not a number from 0 to inf"),
    (GateOptions, {"max_logit_difference": math.nan}, "nan is not a number from 0 to inf"),
]


@pytest.mark.parametrize(("group", "choice", "problem"), UNUSABLE, ids=str)
def test_a_choice_that_cannot_be_is_refused_where_it_is_made(group: type, choice: dict[str, Any], problem: str) -> None:
    (option,) = choice
    with pytest.raises(OptionError) as refusal:
        group(**choice)
    assert refusal.value.option == option
    assert str(refusal.value).startswith(f"`{option}`: ")
    assert problem in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "option", "problem"),
    [
        ({"precision": "INT8"}, "precision", "'INT8' is not one of fp32, int8"),
        ({"precision": None}, "precision", "None is not one of fp32, int8"),
        ({"engines": ["abacus"]}, "engines", "'abacus' is not one of onnxruntime, openvino"),
        ({"engines": ["onnxruntime", "OpenVINO"]}, "engines", "'OpenVINO' is not one of onnxruntime, openvino"),
        ({"engines": []}, "engines", "name at least one of onnxruntime, openvino"),
        ({"engines": "openvino"}, "engines", "several strings in a list or tuple, not 'openvino'"),
        ({"engines": None}, "engines", "several strings in a list or tuple, not None"),
        ({"engines": [3]}, "engines", "it must hold strings only, not 3"),
        ({"int8": Int8Options(max_fp32_share=0.1)}, "max_fp32_share", "it does nothing in fp32"),
        ({"int8": Int8Options(calibration=["a"])}, "calibration", "it does nothing in fp32"),
        ({"int8": Int8Options("per-token")}, "quantization", "it does nothing in fp32"),
        (
            {"precision": "int8", "engines": ["openvino"], "int8": Int8Options("per-tensor")},
            "quantization",
            "it is for onnxruntime and does nothing for openvino",
        ),
        (
            {"graph": GraphOptions(inference_precision="bf16")},
            "inference_precision",
            "it is for openvino and does nothing for onnxruntime",
        ),
        ({"precision": "int8", "int8": Int8Options(calibration=["", ""])}, "calibration", "among those that the gate measures"),
    ],
    ids=str,
)
def test_an_export_is_refused_before_its_model_is_fetched(
    offline: Path, options: dict[str, Any], option: str, problem: str
) -> None:
    with pytest.raises(OptionError) as refusal:
        export_model(ABSENT, **options)
    assert refusal.value.option == option
    assert str(refusal.value).startswith(f"`{option}`: ")
    assert problem in str(refusal.value)
    assert not [*offline.iterdir()]


def test_texts_of_the_gate_are_no_calibration(offline: Path) -> None:
    mine = ("never seen before",)
    with pytest.raises(OptionError, match=r"`calibration`: .* among those that the gate measures"):
        export_model(ABSENT, precision="int8", int8=Int8Options(calibration=mine), gate=GateOptions(texts=mine))
    assert not [*offline.iterdir()]


@pytest.mark.parametrize(
    ("model", "options", "option"),
    [
        ("gru", {"precision": "int8", "int8": Int8Options(calibration=["a text of my own"])}, "calibration"),
        ("gru", {"graph": GraphOptions(fusion=False)}, "fusion"),
        ("gru", {"source": SourceOptions(burn=BurnOptions(heads=2))}, "heads"),
        ("gru", {"source": SourceOptions(burn=BurnOptions(norm="first"))}, "norm"),
        ("gru", {"source": SourceOptions(burn=BurnOptions(quiet_softmax="off"))}, "quiet_softmax"),
        ("bert", {"graph": GraphOptions(padding="padded")}, "padding"),
        ("bert", {"graph": GraphOptions(padding="packed")}, "padding"),
        ("bert", {"source": SourceOptions(burn=BurnOptions(heads=2))}, "heads"),
        ("burn", {"graph": GraphOptions(padding="padded")}, "padding"),
    ],
    ids=str,
)
def test_an_option_of_another_architecture_is_refused(
    checkpoints: dict[str, Path], tmp_path: Path, model: str, options: dict[str, Any], option: str
) -> None:
    with pytest.raises(OptionError, match=f"does nothing for {FAMILIES[model]}; leave it out") as refusal:
        export_model(str(checkpoints[model]), output=tmp_path / "out", **options)
    assert refusal.value.option == option
    assert str(refusal.value).startswith(f"`{option}`: it is for ")
    assert not [*tmp_path.iterdir()]


ONE_LINE = [
    (["--engine", "abacus"], "--engine: 'abacus' is not one of onnxruntime, openvino"),
    (["--labels", "good,good"], "--labels: good, good: give each class a name of its own"),
    (["--fixed-length", "2"], "--fixed-length: 2 is not a whole number from 3 to 65536"),
    (
        ["--fixed-length", "8", "--max-length", "8"],
        "--max-length: --fixed-length says already how many tokens are read; leave one of them out",
    ),
    (["--fixed-batch", "0"], "--fixed-batch: 0 is not a whole number from 1 to 4096"),
    (["--heads", "0"], "--heads: 0 is not a whole number from 1 to 65536"),
    (["--min-agreement", "1.5"], "--min-agreement: 1.5 is not a number from 0 to 1"),
    (["--max-mean-drift", "nan"], "--max-mean-drift: nan is not a number from 0 to 1"),
    (["--max-logit-difference", "-1"], "--max-logit-difference: -1.0 is not a number from 0 to inf"),
    (["--int8", "--max-fp32-share", "nan"], "--max-fp32-share: nan is not a number from 0 to 1"),
    (["--max-fp32-share", "0.1"], "--max-fp32-share: it does nothing in fp32; leave it out, or export in int8"),
    (["--quantization", "per-token"], "--quantization: it does nothing in fp32; leave it out, or export in int8"),
    (["--calibration", "mine.txt"], "--calibration: it does nothing in fp32; leave it out, or export in int8"),
    (
        ["--int8", "--engine", "openvino", "--quantization", "per-token"],
        "--quantization: it is for onnxruntime and does nothing for openvino; leave it out",
    ),
    (
        ["--inference-precision", "bf16"],
        "--inference-precision: it is for openvino and does nothing for onnxruntime; leave it out",
    ),
]


@pytest.mark.parametrize(("flags", "line"), ONE_LINE, ids=str)
def test_the_command_line_names_the_flag(offline: Path, flags: list[str], line: str) -> None:
    (offline / "mine.txt").write_text("a text of my own\n")
    done = invoke("export", "--model", ABSENT, *flags)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"sentiment-edge: {line}\n")
    assert [path.name for path in offline.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("flag", "values"),
    [
        ("--padding", "packed, padded"),
        ("--quantization", "per-token, static, per-tensor"),
        ("--inference-precision", "f32, bf16"),
        ("--norm", "first, last"),
        ("--quiet-softmax", "off, legacy, softmax1"),
    ],
)
def test_the_command_line_knows_the_closed_sets(offline: Path, flag: str, values: str) -> None:
    done = invoke("export", "--model", ABSENT, flag, "x")
    assert (done.returncode, done.stdout) == (2, b"")
    listed = ", ".join(f"'{value}'" for value in values.split(", "))
    assert done.stderr.decode().splitlines()[-1] == f"Error: Invalid value for '{flag}': 'x' is not one of {listed}."
    assert not [*offline.iterdir()]


@pytest.mark.parametrize(
    ("model", "flags", "line"),
    [
        (
            "gru",
            ["--no-fusion"],
            "--no-fusion: it is for electra-classifier, sequence-classification, burn-transformer and does",
        ),
        ("gru", ["--norm", "last"], "--norm: it is for burn-transformer and does nothing for gru-attention; leave it out"),
        ("bert", ["--padding", "padded"], "--padding: it is for gru-attention and does nothing for sequence-classification"),
    ],
)
def test_the_command_line_names_the_flag_of_another_architecture(
    checkpoints: dict[str, Path], tmp_path: Path, model: str, flags: list[str], line: str
) -> None:
    done = invoke("export", "--model", checkpoints[model], "--output", tmp_path / "out", *flags)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert done.stderr.decode().startswith(f"sentiment-edge: {line}")
    assert not [*tmp_path.iterdir()]


def test_what_is_chosen_is_kept_as_given() -> None:
    options = ExportOptions("int8", ["openvino", "onnxruntime", "openvino"], int8=Int8Options("per-tensor"))
    assert options.engines == ("openvino", "onnxruntime")
    assert [*options.chosen()] == ["quantization"]
    assert Int8Options().fp32_budget == 0.25
    assert Int8Options(max_fp32_share=0).fp32_budget == 0
