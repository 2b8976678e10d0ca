"""Python, as a reader has it: blocks of a page that follow each other in one namespace."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from helpers.code_blocks.comparison import same
from helpers.code_blocks.results import is_print, results


def syntax(source: str) -> list[str]:
    """Return what is wrong with a block, without running it; it may be a part of a function."""
    try:
        return results(ast.parse(source), source)[1]
    except SyntaxError as error:
        return [str(error)]


class Interpreter:
    """A process of Python that runs blocks."""

    def __init__(self, page: Path, folder: Path, variables: dict[str, str], notes: Path) -> None:
        """Start it.

        Args:
            page: the page, which tracebacks name.
            folder: the current folder.
            variables: its environment.
            notes: a folder for what it writes to stderr.
        """
        program = [sys.executable, str(Path(__file__).with_name("python_child.py")), str(page), str(folder)]
        self._errors = notes / "python.err"
        with self._errors.open("wb") as errors:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                program, cwd=folder, env=variables, stdin=pipe, stdout=pipe, stderr=errors, text=True
            )

    def run(self, source: str, line: int) -> list[str]:
        """Run a block and return what went otherwise than it shows.

        Args:
            source: the block.
            line: the line of the page before its first.
        """
        tree = ast.parse(source)
        shown, _ = results(tree, source)
        printing = {node.end_lineno for node in ast.walk(tree) if isinstance(node, ast.Expr) and is_print(node)}
        request = {"source": source, "line": line, "printing": [*(printing & {*shown})], "giving": [*({*shown} - printing)]}
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            return [f"Python ended with status {self._process.wait()}: {self._errors.read_text('utf-8', 'replace')[-2000:]}"]
        said = json.loads(answer)
        return [said["error"]] if said["error"] else [*_differences(shown, said["seen"], line)]

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def _differences(shown: dict[int, str], seen: list[tuple[int, str]], line: int) -> Iterator[str]:
    for number, text in shown.items():
        gave = [value for where, value in seen if where == number]
        if not gave:
            yield f"line {line + number} was never reached, so that its result is unknown: {text}"
        for value in gave:
            if not same(text, value):
                yield f"line {line + number} shows {text}, but gave {value.strip()}"
