"""The code blocks of a page, and what its comments say about running them.

A block is run unless a comment directly before it says otherwise:

    <!-- not run: REASON -->                    no part of it is run
    <!-- A, B not run: REASON -->               no command is run that contains A or B
    <!-- A runs until interrupted -->           such a command is interrupted as soon as it has printed something
    <!-- ends with status N -->                 its last command fails in this way
    <!-- output not compared: REASON -->        the block is run, and must succeed, but prints something else elsewhere
    <!-- needs A, B -->                         the block is skipped where one of these is missing (see `missing` in running.py)

A comment anywhere on the page, `<!-- no sh block of this page is run: REASON -->`, speaks for all blocks of a language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[3]

WRITTEN_BY_PROGRAMS = ("docs/command-line.md",)
"""Pages that can have no marks: the forms of the commands, which tests/docs/test_reference_pages.py holds against them."""
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_WHOLE_PAGE = re.compile(r"no (?P<language>\w+) block of this page is run\b:?(?P<reason>.*)", re.DOTALL)
_NOT_RUN = re.compile(r"(?:(?P<parts>[^:]*\S) )?not run\b:?(?P<reason>.*)", re.DOTALL)
_INTERRUPTED = re.compile(r"(?P<parts>.*\S) runs until interrupted")
_STATUS = re.compile(r"ends with status (?P<status>\d+)")
_OUTPUT = re.compile(r"output not compared\b:?(?P<reason>.*)", re.DOTALL)
_NEEDS = re.compile(r"needs (?P<names>.*)")
_TARGET = re.compile(r"^([\w-]+):", re.MULTILINE)
_NAMED = re.compile(r"`make ([\w-]+)|\b((?:tests|tools|docs|examples|benchmarks)/[\w./-]*\w)")


@dataclass
class Marks:
    """What the comments before a block say about running it."""

    not_run: str | None = None
    """The reason why no part of it is run."""
    parts_not_run: list[str] = field(default_factory=list)
    interrupted: list[str] = field(default_factory=list)
    status: int = 0
    output_compared: bool = True
    needs: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Marks that say too little or name what is not there."""


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    page: Path
    line: int
    """The line of the page, counted from 1, before its first line of code."""
    language: str
    source: str
    marks: Marks

    def __str__(self) -> str:
        """Return its place, such as `docs/serve.md:5 console`."""
        place = self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page.name
        return f"{place}:{self.line} {self.language}"


def pages() -> list[Path]:
    """Return all pages that people read."""
    found = {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")}
    return sorted(path for path in found - {ROOT / name for name in WRITTEN_BY_PROGRAMS} if "node_modules" not in path.parts)


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order, those in lists and quotations too."""
    tokens = MarkdownIt("commonmark").parse(page.read_text("utf-8"))
    silent = {}
    for comment in _comments(tokens):
        if match := _WHOLE_PAGE.fullmatch(comment):
            silent[match["language"]] = match["reason"]
    found = []
    for index, token in enumerate(tokens):
        if token.type == "fence" and token.map:
            language = token.info.partition(" ")[0]
            marks = _marks(_comments(_directly_before(tokens, index)))
            if language in silent:
                marks.not_run = silent[language]
                _check_reason(silent[language], marks)
            found.append(Block(page, token.map[0] + 1, language, token.content, marks))
    return found


def _directly_before(tokens: list[Token], index: int) -> list[Token]:
    start = index
    while start and tokens[start - 1].type == "html_block":
        start -= 1
    return tokens[start:index]


def _comments(tokens: list[Token]) -> list[str]:
    html = (token.content for token in tokens if token.type == "html_block")
    return [" ".join(comment.split()) for text in html for comment in _COMMENT.findall(text)]


def _marks(comments: list[str]) -> Marks:
    marks = Marks()
    for comment in comments:
        if match := _NOT_RUN.fullmatch(comment):
            if match["parts"]:
                marks.parts_not_run += match["parts"].split(", ")
            else:
                marks.not_run = match["reason"].strip()
            _check_reason(match["reason"], marks)
        elif match := _OUTPUT.fullmatch(comment):
            marks.output_compared = False
            _check_reason(match["reason"], marks)
        elif match := _INTERRUPTED.fullmatch(comment):
            marks.interrupted += match["parts"].split(", ")
        elif match := _STATUS.fullmatch(comment):
            marks.status = int(match["status"])
        elif match := _NEEDS.fullmatch(comment):
            marks.needs += match["names"].split(", ")
    return marks


def _check_reason(reason: str, marks: Marks) -> None:
    if len(reason.split()) < 2:
        marks.faults.append(f"a mark without a reason: {reason.strip()!r}")
    targets = _TARGET.findall((ROOT / "Makefile").read_text("utf-8"))
    for target, path in _NAMED.findall(reason):
        if target and target not in targets:
            marks.faults.append(f"the Makefile has no target {target}")
        if path and not (ROOT / path).exists():
            marks.faults.append(f"there is no {path}")
