"""The JSON files of a checkpoint, and the paths of its files: whatever is wrong with one is a line that names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.invocation import invoke
from helpers.refusals import refused

from sentiment_edge import SentimentEdgeError
from sentiment_edge.export import CheckpointError, SourceOptions, export_model
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.checkpoints.json_file import read_json

LONG = "x" * 5000


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (b'{"model_type": "a", "model_type": "sentiment_classifier"}', "the key 'model_type' occurs twice"),
        (b'{"id2label": {"0": "a", "1": "b", "0": "c"}}', "the key '0' occurs twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"\xff\xfe{}", "not readable as JSON"),
        (b"[]", "not a JSON object"),
        (b" " * (8 * 2**20 + 1), "larger than 8 MiB"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not readable as JSON"),
        (b'{"a": "\\udc80"}', "not readable as JSON"),
    ],
)
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_file_that_cannot_be_used(tiny: Path, tmp_path: Path, name: str, contents: bytes, reason: str) -> None:
    (tiny / name).write_bytes(contents)
    with pytest.raises(CheckpointError, match=f"{name}: .*{reason}") as caught:
        read_json(tiny / name)
    assert str(caught.value).isprintable()
    if name == "config.json":
        refused(tiny, tmp_path / "out", f"{name}: .*{reason}")


def test_finding_a_key_that_occurs_twice_takes_no_time(tmp_path: Path) -> None:
    keys = "".join(f'"{number}":0,' for number in range(400_000))
    (tmp_path / "config.json").write_text("{" + keys + '"399999":0}')
    with pytest.raises(CheckpointError, match="'399999' occurs twice"):
        read_json(tmp_path / "config.json")


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    with pytest.raises(CheckpointError, match=r"config\.json: not a file"):
        read_json(tmp_path / "config.json")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tiny: Path, tmp_path: Path) -> None:
    (tiny / "config.json").unlink()
    os.mkfifo(tiny / "config.json")
    refused(tiny, tmp_path / "out", r"config\.json: not a file")
    done = invoke("models", "--inspect", tiny / "config.json")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)


def test_no_file_is_an_empty_object(tmp_path: Path) -> None:
    assert read_json(tmp_path / "config.json") == {}
    assert read_json(tmp_path / "config.json" / "below") == {}


@pytest.mark.parametrize("name", [LONG, f"{LONG}/{LONG}", f"./{LONG}", "nul\0", "\udcff\udcff/x"])
def test_a_path_that_the_system_refuses(tiny: Path, tmp_path: Path, name: str) -> None:
    for model, source in [
        (name, SourceOptions()),
        (str(tiny), SourceOptions(tokenizer=Path(name), offline=True)),
        ("gru-mini", SourceOptions(checkpoint=Path(name), offline=True)),
    ]:
        with pytest.raises(SentimentEdgeError) as caught:
            export_model(model, output=tmp_path / "out", source=source)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--model", "--checkpoint", "--tokenizer"])
def test_such_a_path_at_the_command_line(tiny: Path, tmp_path: Path, option: str) -> None:
    given = ["--model", str(tiny)] if option != "--model" else []
    done = invoke("export", *given, option, LONG, "--output", tmp_path / "out")
    assert done.returncode in (1, 2)
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_model_card_of_any_size(tiny: Path) -> None:
    (tiny / "README.md").write_text("---\nlicense: mit\n---\n" + "x" * 2**21)
    assert find_checkpoint(str(tiny)).licence == "mit"
    (tiny / "README.md").write_bytes(b"\xff\xfe")
    assert find_checkpoint(str(tiny)).licence is None
