"""The training of the default model, whole, on a few texts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from helpers.tiny_encoders import tiny_model, write_encoder
from helpers.word_pieces import word_piece_tokenizer

from sentiment_edge import load
from sentiment_edge.export import export_model
from tools.default_model import __main__ as training

if TYPE_CHECKING:
    from pathlib import Path

WORDS = {"1": ("good", "great film", "really good film"), "0": ("bad", "not a good film", "really bad film")}
TABLES = {
    "sst2/train.tsv": ("sentence\tlabel", "{text}\t{label}"),
    "sst2/dev.tsv": ("sentence\tlabel", ""),
    "sst5/sst5.train.tsv": ("sentence\tlabel5\tlabel3", "{text} {number}\t{label}\t{word}"),
    "sst5/sst5.dev.tsv": ("sentence\tlabel5\tlabel3", ""),
    "tweet-sentiment/train.csv": ("textID,text,selected_text,sentiment", "{number},{text} @{number},{text},{word}"),
    "tweet-sentiment/test.csv": ("textID,text,selected_text,sentiment", ""),
    "imdb/test-1000.tsv": ("text\tlabel", ""),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rows = [(text, label, number) for number in range(40) for label, texts in WORDS.items() for text in texts]
    for name, (header, row) in TABLES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        lines = [
            row.format(text=text, label=label, number=number, word=("negative", "positive")[int(label)])
            for text, label, number in (rows if row else [])
        ]
        (folder / name).write_text("\n".join([header, *lines]) + "\n")
    return folder


def run(monkeypatch: pytest.MonkeyPatch, stage: str, data: Path, work: Path, *more: str) -> None:
    given = ["--data", str(data), "--base", str(work.parent / "base"), "--work", str(work), "--rows", "60", *more]
    monkeypatch.setattr(sys, "argv", ["default_model", stage, *given])
    training.main()


def test_each_stage_goes_on_and_both_students_can_be_exported(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = word_piece_tokenizer(["good", "bad", "great", "film", "not", "really"])
    sizes = {"num_hidden_layers": 4, "max_position_embeddings": 160, "vocab_size": tokenizer.get_vocab_size()}
    write_encoder(tmp_path / "base", tiny_model("bert", **sizes), tokenizer)
    work = tmp_path / "work"
    run(monkeypatch, "all", data, work)
    assert "teacher 2: sst5" in capsys.readouterr().out
    first = (work / "student" / "model.safetensors").read_bytes()
    run(monkeypatch, "student", data, work)
    assert "student 1: 0/" not in capsys.readouterr().out  # every epoch is kept
    assert (work / "student" / "model.safetensors").read_bytes() == first
    run(monkeypatch, "encoder", data, work)
    for name in ("student", "encoder"):
        export_model(str(work / name), output=tmp_path / f"{name}-bundle")
        assert load(tmp_path / f"{name}-bundle").labels == ("negative", "positive")
    run(monkeypatch, "teacher", data, work, "--seed", "1")
    assert "belongs to another training" in capsys.readouterr().out
