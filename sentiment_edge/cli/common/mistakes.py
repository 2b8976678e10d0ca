"""A text, or a file of texts, where a bundle's folder may be given: what was meant, in one line."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer
from typer.core import TyperOption

from sentiment_edge.cli.common.exit import Command
from sentiment_edge.cli.common.terminal import warn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FLAGS = {"--input", "--data"}
"""Options that give a file of texts."""
_SEVERAL_WORDS = re.compile(r"\w[^\w\s]*\s+[^\w\s]*\w|\w[.!?,;…\u3002\uff01\uff1f]+$")
"""No usual name of a folder: words, or one with the end of a sentence."""
_CLEARLY_A_PATH = re.compile(r"\.{0,2}[/\\]|~|[A-Za-z]:[/\\]")
_NO_TEXTS = re.compile(r"\.(?:zip|tar|tar\.\w+|tgz|tbz2|txz|7z|rar|whl|onnx|xml|bin|safetensors)$", re.IGNORECASE)
"""Endings of archives and models, of which the error about the bundle says more."""
_SHOWN = 60
"""Characters of a text that a message shows."""
_BUNDLE_AND_TEXT = 2
"""Arguments of `explain`, if it is given a bundle."""
_FOR_A_TEXT = (
    'if it is a text, pipe it: `echo "..." | sentiment-edge predict`, or see its words: `sentiment-edge explain "..."`'
)


class BundleCommand(Command):
    """A command that may take the folder of a bundle; what else stands in its place is told apart from a wrong path."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # as in Command
        """Read the words after the command's name.

        Raises:
            typer.Exit: a text or a file of texts is among them, with no option before it.
        """
        flag = next((param.opts[0] for param in self.params if isinstance(param, TyperOption) and param.opts[0] in _FLAGS), "")
        ctx.allow_extra_args = bool(flag)  # they are refused here, with better advice
        more = super().parse_args(ctx, args)
        if not ctx.resilient_parsing and (problem := _problem(_bundles(ctx.params), more, flag)):
            warn(problem)
            raise typer.Exit(2)
        return more


def _bundles(given: Mapping[str, Any]) -> list[str]:
    """Return what stands where a command takes the folders of bundles."""
    one, several, arguments = (given.get(name) for name in ("bundle", "bundles", "arguments"))
    before_a_text = arguments[:1] if arguments and len(arguments) == _BUNDLE_AND_TEXT else []
    return [*map(str, [] if one is None else [one]), *map(str, several or []), *before_a_text]


def _problem(bundles: Sequence[str], more: Sequence[str], flag: str) -> str:
    """Return what is wrong and what to write instead; nothing if these may be bundles."""
    words = [*bundles, *more]
    if flag and "-" in words:
        return f"- is no bundle's folder; stdin is given by `{flag} -`"
    for word in words if flag else ():
        if _is_file_of_texts(word):
            quoted = f'"{word}"' if re.search(r"\s", word) else word
            return f"{word} is a file, not a bundle's folder; texts are given by `{flag} {quoted}`"
    a_file = f"; a file of texts is given by {flag}" if flag else ""
    if more:
        known = _kind(bundles[0]) == "folder"
        extra = " ".join(more if known else words)
        return f"{_shown(extra)} stands {'after' if known else 'in place of'} the bundle's folder; {_FOR_A_TEXT}{a_file}"
    text = next(filter(_is_text, words), "")
    return f"{_shown(text)} is no bundle's folder; {_FOR_A_TEXT}{a_file}" if text else ""


def _is_file_of_texts(word: str) -> bool:
    return _kind(word) == "file" and not _NO_TEXTS.search(word) and not _kind(Path(word).with_name("manifest.json"))


def _is_text(word: str) -> bool:
    """Tell whether a word is hardly the path of a folder, neither one that is there nor one that was mistyped."""
    if not _SEVERAL_WORDS.search(word) or _CLEARLY_A_PATH.match(word) or _kind(word):
        return False
    first, *rest = re.split(r"[/\\]", word)
    return not rest or not _kind(first)


def _shown(words: str) -> str:
    return repr(words if len(words) <= _SHOWN else f"{words[:_SHOWN]}...")


def _kind(path: str | Path) -> Literal["folder", "file", ""]:
    try:
        return "folder" if stat.S_ISDIR(Path(path).stat().st_mode) else "file"
    except (OSError, ValueError):  # nothing is there, or nothing can be
        return ""
