"""The pages made from the program are as the program is now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sentiment_edge
from sentiment_edge import runtimes

DOCS = Path(__file__).parents[2] / "docs"
AGAIN = "make docs"


def test_command_line_page_is_what_the_program_says(tmp_path: Path) -> None:
    page = tmp_path / "command-line.md"
    asked = ("utils", "docs", "--name", "sentiment-edge", "--title", "Command line", "--output", str(page))
    subprocess.run([sys.executable, "-m", "typer", "sentiment_edge.cli", *asked], check=True, capture_output=True)
    assert (DOCS / "command-line.md").read_text("utf-8") == page.read_text("utf-8"), f"run `{AGAIN}`"


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    page = (DOCS / "reference.md").read_text("utf-8").split()
    assert not [name for name in sentiment_edge.__all__ if f"sentiment_edge.{name}" not in page]
    parts = {*runtimes.__all__} - {*sentiment_edge.__all__, "ENGINES"}
    assert not [name for name in parts if f"sentiment_edge.runtimes.{name}" not in page]


def test_every_public_name_of_the_export_is_on_the_page_of_the_api() -> None:
    pytest.importorskip("torch", reason="needs the extra export")
    from sentiment_edge import export  # noqa: PLC0415

    page = (DOCS / "reference.md").read_text("utf-8").split()
    assert not [name for name in export.__all__ if f"sentiment_edge.export.{name}" not in page]
