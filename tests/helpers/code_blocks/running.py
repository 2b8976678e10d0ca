"""Runs the blocks of a page, from its first to its last, in one folder."""

from __future__ import annotations

import configparser
import contextlib
import importlib
import importlib.util
import json
import shutil
import socket
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

from helpers.code_blocks.commands import Command, commands
from helpers.code_blocks.comparison import same
from helpers.code_blocks.interpreter import Interpreter, syntax
from helpers.code_blocks.page import Block
from helpers.code_blocks.reader import furnish, variables
from helpers.code_blocks.shell import Shell
from helpers.code_blocks.usage import misused

MODULES = ("torch", "openvino", "pyarrow", "polars", "duckdb", "pandas", "daft", "matplotlib", "yaml")
PROGRAMS = ("curl", "node", "make")
FOLDERS = ("sst2",)
_IMPLIED = {"yaml": ("yaml",), "js": ("node",)}
"""What blocks of a language need without saying so."""
_PORT = 8000


class Outcome(NamedTuple):
    """What became of a block."""

    faults: list[str]
    skipped: str = ""
    """The reason for which it could not be run here."""


class PageRun:
    """A page that is being run."""

    def __init__(self, page: Path, folder: Path) -> None:
        """Prepare to run it in an empty folder; nothing is started before it is needed."""
        self.here, self._notes, home = (folder / name for name in ("here", "notes", "home"))
        for each in (self.here, self._notes, home):
            each.mkdir()
        furnish(self.here, page.read_text("utf-8"))
        self._variables = variables(home)
        self._shell: Shell | None = None
        self._python: Interpreter | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what was started."""
        for started in (self._shell, self._python):
            if started:
                started.close()

    def run(self, block: Block) -> Outcome:
        """Run a block as it stands, or only check it where it says that it is not run."""
        marks = block.marks
        unknown = [name for name in marks.needs if name not in (*MODULES, *PROGRAMS, *FOLDERS)]
        if faults := marks.faults + [
            f"no block may need {name}: see MODULES, PROGRAMS, FOLDERS in running.py" for name in unknown
        ]:
            return Outcome(faults)
        implied = _IMPLIED.get(block.language, ())
        if lacking := [name for name in (*marks.needs, *implied) if self._lacks(name)]:
            return Outcome([], f"needs {', '.join(lacking)}")
        return self._in_its_language(block)

    def _in_its_language(self, block: Block) -> Outcome:
        if block.language in ("console", "sh"):
            return self._commands(block)
        if block.language == "python":
            return Outcome(self._in_python(block))
        if block.language == "js":
            return Outcome(self._in_node(block))
        return Outcome(_faults_of_data(block))

    def _lacks(self, name: str) -> bool:
        if name in MODULES:
            return not importlib.util.find_spec(name)
        return not (shutil.which(name) if name in PROGRAMS else (self.here / name).exists())

    def _in_python(self, block: Block) -> list[str]:
        faults = syntax(block.source)
        if faults or block.marks.not_run:
            return faults
        self._python = self._python or Interpreter(block.page, self.here, self._variables, self._notes)
        return self._python.run(block.source, block.line)

    def _in_node(self, block: Block) -> list[str]:
        script = self._notes / "block.mjs"
        script.write_text(block.source, "utf-8")
        options = ["--check"] if block.marks.not_run else []
        done = subprocess.run(["node", *options, script], cwd=self.here, capture_output=True, text=True, check=False)
        return [done.stderr] if done.returncode else []

    def _commands(self, block: Block) -> Outcome:
        marks = block.marks
        found, faults = commands(block.source, block.line, prompts=block.language == "console")
        for part in (*marks.parts_not_run, *marks.interrupted):
            if not any(part in command.text for command in found):
                faults.append(f"no command has {part!r} in it")
        left_out = [command for command in found if marks.not_run or any(part in command.text for part in marks.parts_not_run)]
        faults += [f"line {command.line}: {fault}" for command in left_out if (fault := misused(command.text))]
        if faults or len(left_out) == len(found):
            return Outcome(faults)
        wanted = [command for command in found if command not in left_out]
        if any("sentiment-edge serve" in command.text for command in wanted) and not _is_free(_PORT):
            return Outcome([], f"needs port {_PORT}, which is taken")
        for command in wanted:
            status = marks.status if command is wanted[-1] else 0
            if fault := self._in_shell(command, block, status):
                return Outcome([f"line {command.line}: {command.text}\n{fault}"])
        return Outcome([])

    def _in_shell(self, command: Command, block: Block, status: int) -> str:
        self._shell = self._shell or Shell(self.here, self._variables, self._notes)
        interrupted = any(part in command.text for part in block.marks.interrupted)
        try:
            ended = self._shell.run(command.text, interrupted=interrupted)
        except (EOFError, TimeoutError) as error:
            self._shell = None
            return str(error)
        if ended.status != status and not (interrupted and ended.status == 130):
            return f"ended with status {ended.status}, not {status}\n{ended.stdout}{ended.stderr}"
        if not command.shown or not block.marks.output_compared:
            return ""
        printed = (ended.stdout or ended.stderr, ended.stderr + ended.stdout, ended.stdout + ended.stderr)
        return "" if any(same(command.shown, each) for each in printed) else f"printed\n{ended.stdout}{ended.stderr}"


def _json(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        for line in text.splitlines():  # a record each
            json.loads(line)


def _yaml(text: str) -> None:
    importlib.import_module("yaml").safe_load(text)


def _ini(text: str) -> None:
    configparser.ConfigParser(strict=False, interpolation=None).read_string(text)


_DATA: dict[str, Callable[[str], object]] = {"json": _json, "yaml": _yaml, "toml": tomllib.loads, "ini": _ini}


def _faults_of_data(block: Block) -> list[str]:
    """Return what is wrong with a block that nothing runs: data that cannot be read, or no word about why it is not run."""
    if block.language in _DATA:
        try:
            _DATA[block.language](block.source)
        except Exception as error:  # noqa: BLE001 each reader has its own
            return [f"this is no {block.language}: {error}"]
    elif block.language == "text":
        return ["this block has commands: it is not text, but console"] if block.source.startswith("$ ") else []
    elif not block.marks.not_run:
        return [f"nothing here runs a block of {block.language or 'no language'}: say why it is not run"]
    return []


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
