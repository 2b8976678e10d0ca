"""A text, or a file of texts, in the place of a bundle's folder: one line says how it is given."""

from __future__ import annotations

from os.path import exists
from pathlib import Path

import pytest
from helpers.support import Command
from hypothesis import assume, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sentiment_edge.cli import app
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

BUNDLE = str(DEFAULT_BUNDLE)
FILES = {"lines.txt": b"I loved it.\n", "my reviews.csv": b"text\nfine\n", "r.csv.gz": b"\x1f\x8b", "plain": b"fine\n"}
FLAGS = {"predict": "--input", "evaluate": "--data", "bench": "--input"}
TAKE_A_BUNDLE = (*FLAGS, "serve", "doctor", "verify")
LOADS_IT = (["predict"], ["evaluate", "--data", "lines.txt"], ["bench"], ["doctor"], ["verify"])
PIPE = '`echo "..." | sentiment-edge predict`'
EXPLAIN = '`sentiment-edge explain "..."`'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a few files and an empty folder in it."""
    for name, contents in FILES.items():
        (tmp_path / name).write_bytes(contents)
    (tmp_path / "bundles").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    """Return the status and the one line on stderr; nothing is on stdout."""
    done = CliRunner().invoke(app, arguments)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1), done.output
    return done.exit_code, done.stderr.removeprefix("sentiment-edge: ").removesuffix("\n")


def test_a_text_is_told_where_to_go(command: Command) -> None:
    done = command("predict", "I love this")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == (
        "sentiment-edge: 'I love this' is no bundle's folder; "
        f"if it is a text, pipe it: {PIPE}, or see its words: {EXPLAIN}; a file of texts is given by --input\n"
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", TAKE_A_BUNDLE)
@pytest.mark.parametrize(
    "text", ["I love this", "Dreadful!", "Fine.", "so\nso", "good/bad acting, I'd say", "\u597d\u770b\u3002", "x " * 9999]
)
def test_every_command_tells_a_text(name: str, text: str) -> None:
    status, line = run(name, text)
    assert status == 2
    assert PIPE in line and EXPLAIN in line
    assert len(line) < 300
    assert line.endswith(f"given by {FLAGS[name]}" if name in FLAGS else EXPLAIN)


@pytest.mark.parametrize(("name", "flag"), FLAGS.items())
@pytest.mark.parametrize("before", [(), (BUNDLE,)])
@pytest.mark.parametrize("file", FILES)
def test_a_file_is_told_the_option(folder: Path, name: str, flag: str, before: tuple[str, ...], file: str) -> None:
    quoted = f'"{file}"' if " " in file else file
    expected = f"{file} is a file, not a bundle's folder; texts are given by `{flag} {quoted}`"
    assert run(name, *before, file) == (2, expected)
    assert run(name, *before, str(folder / file))[0] == 2


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["predict", "I", "love", "this"], "'I love this' stands in place of the bundle's folder; if it is a text, pipe it"),
        (["predict", BUNDLE, "I love", "this"], "'I love this' stands after the bundle's folder; if it is a text, pipe it"),
        (["predict", BUNDLE, "absent.txt"], "'absent.txt' stands after the bundle's folder"),
        (["evaluate", "so", "good"], "'so good' stands in place of the bundle's folder"),
        (["predict", "-"], "- is no bundle's folder; stdin is given by `--input -`"),
        (["evaluate", BUNDLE, "-"], "- is no bundle's folder; stdin is given by `--data -`"),
        (["explain", "I love this", "and that"], "'I love this' is no bundle's folder"),
    ],
)
def test_words_that_are_too_many(arguments: list[str], expected: str) -> None:
    status, line = run(*arguments)
    assert (status, line[: len(expected)]) == (2, expected)


@pytest.mark.parametrize("command", LOADS_IT)
@pytest.mark.parametrize(
    "path", ["nowhere", "bundles", "./my bundles", "../my bundle.", "bundles/no such", "{folder}/a b", "~/a b", "C:/a b"]
)
def test_a_path_keeps_its_message(folder: Path, command: list[str], path: str) -> None:
    status, line = run(*command, path.format(folder=folder))
    assert status == 1
    assert line.endswith("no bundle here (a folder with manifest.json); make one with `sentiment-edge export`")


@pytest.mark.parametrize("command", LOADS_IT)
def test_what_is_part_of_a_bundle_keeps_its_message(folder: Path, command: list[str]) -> None:
    (folder / "bundle.zip").write_bytes(b"PK\x03\x04")
    (folder / "model.onnx").touch()
    packed = "an archive; unpack it first and give the folder that holds manifest.json"
    assert run(*command, "bundle.zip") == (1, f"bundle.zip: {packed}")
    assert run(*command, "model.onnx") == (1, "model.onnx: a file; give the folder that holds manifest.json")
    (folder / "manifest.json").touch()
    assert run(*command, "manifest.json") == (1, "manifest.json: a file; give the folder that holds manifest.json")


@pytest.mark.parametrize("arguments", [("doctor", BUNDLE, "more"), ("models", "I love this"), ("explain", "I", "love", "this")])
def test_other_words_that_are_too_many_are_wrong_usage(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Usage: " in done.stderr


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=3))
def test_any_words_end_with_a_line(words: list[str]) -> None:
    named = any(word.startswith(("-", ".", "/", "\\", "~")) or exists(word) for word in words)  # noqa: PTH110 - words may be long
    assume(not named)
    status, _ = run("predict", *words)
    assert status == 2 if words[1:] else status in {1, 2}
