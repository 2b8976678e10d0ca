"""The check of code blocks finds what is wrong with a page: each of these pages is."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.code_blocks.comparison import same
from helpers.code_blocks.page import blocks, pages
from helpers.code_blocks.running import Outcome, PageRun


def _run(folder: Path, text: str) -> list[Outcome]:
    page = folder / "page.md"
    page.write_text(text, "utf-8")
    place = folder / "run"
    place.mkdir()
    with PageRun(page, place) as running:
        return [running.run(block) for block in blocks(page)]


def _block(language: str, *lines: str, marks: str = "") -> str:
    return "\n".join((*marks.splitlines(), f"```{language}", *lines, "```", ""))


_LOAD = ("from sentiment_edge import load", "classifier = load()")
_FAULTS = {
    "another score": (
        _block("python", *_LOAD, "classifier(\"I love it!\")  # Prediction(label='positive', score=0.7)"),
        "score=0.7",
    ),
    "another label": (_block("python", *_LOAD, 'print(classifier("I love it!").label)  # negative'), "but gave positive"),
    "a result in a loop": (_block("python", "for each in (1, 2):", "    print(each)  # 1"), "but gave 2"),
    "a result that is not reached": (_block("python", "if False:", "    print(1)  # 1"), "never reached"),
    "a result on a line of its own": (_block("python", "abs(-1)", "# 2"), "but gave 1"),
    "a result of an assignment": (_block("python", "one = abs(-1)  # 2"), "but gave 1"),
    "more words than a result": (_block("python", "abs(-1)  # [1] or so"), "looks like a result"),
    "an error": (_block("python", "x = 1", "x.no_such"), "has no attribute 'no_such'"),
    "an exit": (_block("python", "raise SystemExit(0)"), "SystemExit"),
    "a name that is nowhere": (_block("python", "for line in lines: ..."), "name 'lines' is not defined"),
    "python that is none": (_block("python", "x ="), "invalid syntax"),
    "a status": (_block("console", "$ false"), "ended with status 1, not 0"),
    "a status within a pipe": (_block("console", "$ false | cat"), "ended with status 1, not 0"),
    "no such status": (_block("console", "$ true", marks="<!-- ends with status 3 -->"), "ended with status 0, not 3"),
    "the end of the shell": (_block("console", "$ exit 3", "$ true"), "ended the shell with status 3"),
    "another output": (_block("console", "$ echo one; echo two", "one", "three"), "printed\none\ntwo"),
    "less output": (_block("console", "$ echo one; echo two", "one"), "printed\none\ntwo"),
    "output without a command": (_block("console", "one"), "output without a command"),
    "a command that is nowhere": (_block("sh", "", "# a comment", "no-such-program"), "ended with status 127"),
    "an installation": (_block("console", "$ pip install six"), "a block that calls it is marked as not run"),
    "an uninstallation": (_block("sh", "python -m pip uninstall --yes six"), "a block that calls it is marked as not run"),
    "a shell's syntax": (_block("console", "$ echo )"), "syntax error"),
    "no reason": (_block("console", "$ true", marks="<!-- not run: -->"), "a mark without a reason"),
    "no colon": (_block("console", "$ true", marks="<!-- not run -->"), "a mark without a reason"),
    "hardly a reason": (_block("sh", "true", marks="<!-- not run: slow -->"), "a mark without a reason: 'slow'"),
    "no reason for a page": ("<!-- no sh block of this page is run: -->\n\n" + _block("sh", "true"), "a mark without a reason"),
    "no reason for the output": (_block("sh", "true", marks="<!-- output not compared: -->"), "a mark without a reason"),
    "a check that is nowhere": (_block("sh", "true", marks="<!-- not run: tests/no.py runs it -->"), "there is no tests/no.py"),
    "a target that is nowhere": (_block("sh", "true", marks="<!-- not run: `make no` runs it -->"), "no target no"),
    "a part that is nowhere": (_block("sh", "true", marks="<!-- curl not run: needs the network -->"), "no command has 'curl'"),
    "an unknown need": (_block("sh", "true", marks="<!-- needs luck -->"), "no block may need luck"),
    "an option that is nowhere": (
        _block("console", "$ sentiment-edge predict --no-such", marks="<!-- not run: needs a bundle of yours -->"),
        "No such option: --no-such",
    ),
    "a choice that is none": (
        _block("console", "$ cd x && sentiment-edge bench --engine all", marks="<!-- not run: takes a minute -->"),
        "--engine is one of auto, onnxruntime, openvino, not all",
    ),
    "a language that nothing runs": (_block("nginx", "location / {}"), "say why it is not run"),
    "no language": (_block("", "something"), "say why it is not run"),
    "commands called text": (_block("text", "$ true"), "it is not text, but console"),
    "json that is none": (_block("json", "{"), "this is no json"),
    "ini that is none": (_block("ini", "Restart=always"), "this is no ini"),
    "a block in a list": ("1. First:\n\n   ```sh\n   false\n   ```\n", "ended with status 1"),
}


@pytest.mark.parametrize(("text", "fault"), _FAULTS.values(), ids=_FAULTS)
def test_a_fault_is_found(tmp_path: Path, text: str, fault: str) -> None:
    (outcome,) = _run(tmp_path, text)
    assert not outcome.skipped
    assert fault in "\n".join(outcome.faults)


_SOUND = (
    _block("console", "$ printf 'I loved it.\\nDreadful.\\n' | sentiment-edge predict", "positive\t0.9988\tI loved it.", "..."),
    _block("console", "$ false", marks="<!-- ends with status 1 -->"),
    _block("console", "$ echo one \\", "  two", "one two", "$ cat <<EOF", "1 $HOME", "EOF", "1 ...", "$ kept=here; cd .."),
    _block("console", "$ echo $kept; ls", "here", "here", "..."),
    _block("console", "$ sleep 1000 &", marks="<!-- sleep not run: it prints nothing -->"),
    _block("console", "$ yes | sentiment-edge predict", marks="<!-- yes runs until interrupted -->"),
    _block("console", "$ (echo ready; sleep 1000) &", "ready"),
    _block("sh", "greet() {", '    echo "hello, $1"', "}", "test \"$(greet you)\" = 'hello, you'"),
    _block("python", "import asyncio", "await asyncio.sleep(0)", 'x = "kept"', "x", '# "kept"', "print(x)", "# and a remark"),
    _block("python", "async def two():", "    return [2]", "await two()  # [2]", "print(x, 0.99)  # kept 0.985"),
    _block("python", "return x", marks="<!-- not run: a part of a function -->"),
    _block("json", '{"a": 1}', '{"a": 2}'),
    _block("text", "anything"),
)


def test_sound_blocks_pass_and_share_their_shell_and_their_names(tmp_path: Path) -> None:
    assert _run(tmp_path, "\n".join(_SOUND)) == [Outcome([])] * len(_SOUND)


@pytest.mark.parametrize(
    ("shown", "printed", "alike"),
    [
        ("positive 0.98", "positive\t0.995\n", True),
        ("positive 0.98", "positive 0.95", False),
        ("872 rows", "873 rows", False),
        ("lines per second 3,352", "lines per second   901", True),
        ("lines per second 3,352", "lines a second 3,352", False),
        ("weight, ms\na 1.5\n\nscore 0.5", "weight, ms\na 9.5\n\nscore 0.51", True),
        ("weight, ms\na 1.5\n\nscore 0.5", "weight, ms\na 1.5\n\nscore 0.61", False),
        ('{"a": 0.99..., "b": {...}}', '{"a": 0.9912, "b": {"c": 1}}', True),
        ("a ... c", "a b b c c", True),
        ("a ... c", "a b b c d", False),
        ("a", "a b", False),
        ("a b", "a", False),
    ],
)
def test_what_counts_as_the_same(shown: str, printed: str, alike: bool) -> None:
    assert same(shown, printed) is alike


def test_all_pages_are_looked_at() -> None:
    found = {path.name for path in pages()}
    assert {"README.md", "CONTRIBUTING.md", "serve.md", "desktop.md"} <= found
