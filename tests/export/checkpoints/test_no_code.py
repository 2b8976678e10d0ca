"""Checkpoints that bring Python code: it never runs, and nobody is asked whether it may."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from helpers.refusals import refused
from helpers.tiny_checkpoints import PIECES, SPECIAL
from helpers.tiny_encoders import tiny_electra, tiny_model, write_electra, write_encoder

from sentiment_edge.export import CheckpointError, SourceOptions, export_model
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.options import ExportOptions

CODE = """
import os
from pathlib import Path

Path(os.environ["RAN"]).touch()
from transformers import BertTokenizer, BertConfig, BertForSequenceClassification

class OurTokenizer(BertTokenizer): pass
class OurConfig(BertConfig): model_type = "ours"
class OurForSequenceClassification(BertForSequenceClassification): config_class = OurConfig
"""
FOR_MODEL = {"AutoConfig": "code.OurConfig", "AutoModelForSequenceClassification": "code.OurForSequenceClassification"}
FOR_TOKENIZER = {"auto_map": {"AutoTokenizer": ["code.OurTokenizer", None]}}


def change(path: Path, **changes: Any) -> None:
    stated = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**stated, **changes}), "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint with code beside it, and a tokenizer's vocabulary."""
    made = write_encoder(tmp_path / "model", tiny_model("bert"))
    (made / "vocab.txt").write_text("\n".join([*SPECIAL, *PIECES]) + "\n", "utf-8")
    (made / "code.py").write_text(CODE)
    return made


def with_tokenizer_code(folder: Path) -> list[str]:
    (folder / "tokenizer.json").unlink()
    change(folder / "tokenizer_config.json", **FOR_TOKENIZER, tokenizer_class="OurTokenizer")
    return []


def with_code_for_a_given_tokenizer(folder: Path) -> list[str]:
    """Where transformers asks: a folder without a config that it knows."""
    with_tokenizer_code(folder)
    given = folder.with_name("tokenizer")
    given.mkdir()
    for name in ("vocab.txt", "tokenizer_config.json", "code.py"):
        shutil.copy(folder / name, given / name)
    return ["--tokenizer", str(given)]


def with_old_tokenizer_code(folder: Path) -> list[str]:
    (folder / "tokenizer.json").unlink()
    change(folder / "tokenizer_config.json", auto_map=["code.OurTokenizer", None])
    return []


def with_tokenizer_code_on_the_hub(folder: Path) -> list[str]:
    (folder / "tokenizer.json").unlink()
    change(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "some/one--code.OurTokenizer"]})
    return []


def with_config_code(folder: Path) -> list[str]:
    change(folder / "config.json", auto_map=FOR_MODEL, model_type="ours")
    return []


def with_model_code(folder: Path) -> list[str]:
    change(folder / "config.json", auto_map=FOR_MODEL, architectures=["OurForSequenceClassification"])
    return []


NEEDS_CODE: dict[Callable[[Path], list[str]], str] = {
    with_tokenizer_code: "tokenizer_config.json: needs Python code (code.OurTokenizer for AutoTokenizer)",
    with_code_for_a_given_tokenizer: "tokenizer_config.json: needs Python code (code.OurTokenizer for AutoTokenizer)",
    with_old_tokenizer_code: "tokenizer_config.json: needs Python code (code.OurTokenizer for AutoTokenizer)",
    with_tokenizer_code_on_the_hub: "needs Python code (some/one--code.OurTokenizer for AutoTokenizer)",
    with_config_code: "config.json: needs Python code (code.OurForSequenceClassification",
    with_model_code: "config.json: needs Python code (code.OurForSequenceClassification",
}


class Export:
    """An export at the command line whose standard input says yes, and a file that code would make."""

    def __init__(self, work: Path, arguments: list[str]) -> None:
        self.ran = work / "ran"
        self.output = work / "out"
        self.command = [sys.executable, "-m", "sentiment_edge", "export", *arguments, "--output", str(self.output)]
        self.environment = {**os.environ, "RAN": str(self.ran), "HF_HOME": str(work / "hub"), "HF_HUB_OFFLINE": "1"}

    def with_answers(self) -> tuple[int, str]:
        with Popen(self.command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=self.environment) as process:
            output, errors = process.communicate(b"y\n" * 100, timeout=600)
        assert output == b""
        return process.returncode, errors.decode()

    def at_a_terminal(self) -> tuple[int, str]:
        pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
        ours, theirs = pty.openpty()
        os.write(ours, b"y\n" * 100)
        with Popen(
            self.command, stdin=theirs, stdout=PIPE, stderr=PIPE, env=self.environment, start_new_session=True
        ) as process:
            output, errors = process.communicate(timeout=600)
        os.close(theirs)
        os.close(ours)
        assert output == b""
        return process.returncode, errors.decode()


@pytest.mark.parametrize("needs_code", NEEDS_CODE)
def test_code_never_runs_and_nobody_is_asked(
    folder: Path, tmp_path: Path, needs_code: Callable[[Path], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = io.StringIO("y\n" * 100)
    monkeypatch.setattr(sys, "stdin", answers)
    monkeypatch.setenv("RAN", str(tmp_path / "ran"))
    given = needs_code(folder)
    source = SourceOptions(tokenizer=Path(given[1]) if given else None)
    with pytest.raises(CheckpointError, match=re.escape(NEEDS_CODE[needs_code])) as caught:
        export_model(str(folder), output=tmp_path / "out", source=source)
    assert str(caught.value).isprintable()
    assert answers.tell() == 0
    assert {path.name for path in tmp_path.iterdir()} <= {"model", "tokenizer"}


@pytest.mark.parametrize("way", [Export.with_answers, Export.at_a_terminal])
def test_a_process_asks_nothing(folder: Path, tmp_path: Path, way: Callable[[Export], tuple[int, str]]) -> None:
    export = Export(tmp_path, ["--model", str(folder), *with_code_for_a_given_tokenizer(folder)])
    status, errors = way(export)
    assert (status, errors.count("\n")) == (1, 1), errors
    assert NEEDS_CODE[with_code_for_a_given_tokenizer] in errors
    assert not export.ran.exists()
    assert not export.output.exists()


def test_transformers_would_ask_and_run_it(folder: Path, tmp_path: Path) -> None:
    """The code above does make the file, where it is allowed to."""
    _, given = with_code_for_a_given_tokenizer(folder)
    script = f"from transformers import AutoTokenizer; AutoTokenizer.from_pretrained({given!r}, local_files_only=True)"
    export = Export(tmp_path, [])
    export.command = [sys.executable, "-c", script]
    with Popen(export.command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=export.environment) as process:
        asked, _ = process.communicate(b"y\n", timeout=600)
    assert b"Do you wish to run the custom code?" in asked
    assert export.ran.exists()


def test_a_published_case(shared: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = shared("cases/checkpoints/kobert_remote")
    monkeypatch.chdir(tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    refused(case, work / "out", r"tokenization_kobert\.KoBertTokenizer for AutoTokenizer\), which an export never runs")
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


def classifier(folder: Path, source: SourceOptions | None = None) -> None:
    load_classifier(find_checkpoint(str(folder), source or SourceOptions()), ExportOptions())


class TestWithoutItsCode:
    """What transformers has itself needs no code, whatever lies beside it."""

    def test_a_model_of_transformers(self, folder: Path) -> None:
        mapped = {"AutoConfig": "code.BertConfig", "AutoModelForSequenceClassification": "code.BertForSequenceClassification"}
        change(folder / "config.json", auto_map=mapped)
        classifier(folder)

    def test_a_tokenizer_of_transformers(self, folder: Path) -> None:
        (folder / "tokenizer.json").unlink()
        (folder / "vocab.txt").write_text("\n".join([*SPECIAL, "[MASK]", *PIECES[1:]]) + "\n", "utf-8")
        mapped = {"AutoTokenizer": ["code.BertTokenizer", "code.BertTokenizerFast"]}
        change(folder / "tokenizer_config.json", auto_map=mapped, tokenizer_class="BertTokenizer")
        classifier(folder)

    def test_a_tokenizer_that_needs_no_class(self, folder: Path) -> None:
        change(folder / "tokenizer_config.json", **FOR_TOKENIZER)
        classifier(folder)

    def test_a_family_of_our_own(self, tmp_path: Path) -> None:
        classifier(write_electra(tmp_path / "electra", tiny_electra(), auto_map=FOR_MODEL))

    @pytest.mark.parametrize("mapped", [None, 3, [], "x", {"AutoTokenizer": 3}, {"AutoTokenizer": []}, [None, None]])
    def test_a_map_of_nothing(self, folder: Path, mapped: Any) -> None:
        change(folder / "config.json", auto_map={} if mapped == "x" else mapped)
        classifier(folder)


def test_kernels_that_a_config_asks_for_are_passed_over(folder: Path) -> None:
    asked = {"attn_implementation": "some/kernels", "_attn_implementation": "some/kernels"}
    change(folder / "config.json", **asked, _attn_implementation_internal="some/kernels", part=[asked])
    classifier(folder)


@pytest.mark.parametrize("model_type", ["detr", "dpt", "timm_wrapper"])
def test_a_backbone_is_not_looked_up(folder: Path, model_type: str) -> None:
    change(folder / "config.json", model_type=model_type, backbone="some/backbone", use_timm_backbone=False)
    with pytest.raises(CheckpointError, match="no encoder for sequences of model_type"):
        classifier(folder)
