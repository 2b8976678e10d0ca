"""The site has every page that the documentation links to, and finds what leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.site.links import find_faults
from tools.site.pages import copy_pages

REPOSITORY = Path(__file__).parents[2]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_links_out_of_the_documentation_hold_in_the_site(tmp_path: Path) -> None:
    write(
        tmp_path / "docs" / "deep" / "page.md",
        "[the\nrules](../../RULES.md#first), [code](../../code/run.py), [all](../../code)\n",
    )
    write(
        tmp_path / "RULES.md", "# First\n[page](docs/deep/page.md), [picture](docs/picture.svg), [web](https://example.com/a)\n"
    )
    write(tmp_path / "code" / "run.py", "print()\n")
    write(tmp_path / "docs" / "picture.svg", "<svg/>")
    copy_pages(tmp_path, tmp_path / "site")
    page = (tmp_path / "site" / "deep" / "page.md").read_text("utf-8")
    assert page == "[the\nrules](../RULES.md#first), [code](../code/run.py), all\n"
    rules = (tmp_path / "site" / "RULES.md").read_text("utf-8")
    assert rules == "# First\n[page](deep/page.md), [picture](picture.svg), [web](https://example.com/a)\n"
    assert (tmp_path / "site" / "code" / "run.py").read_text("utf-8") == "print()\n"


def test_a_link_to_a_folder_leads_to_its_readme(tmp_path: Path) -> None:
    write(tmp_path / "docs" / "page.md", "[port](../port), [hidden](../.hidden/file)\n")
    write(tmp_path / "port" / "README.md", "# Port\n")
    write(tmp_path / ".hidden" / "file", "")
    copy_pages(tmp_path, tmp_path / "site")
    assert (tmp_path / "site" / "page.md").read_text("utf-8") == "[port](port/README.md), hidden\n"
    assert (tmp_path / "site" / "port" / "README.md").is_file()


def test_code_is_left_as_it_is(tmp_path: Path) -> None:
    text = "```text\n[a](../b.md)\n```\n"
    write(tmp_path / "docs" / "page.md", text)
    write(tmp_path / "b.md", "")
    copy_pages(tmp_path, tmp_path / "site")
    assert (tmp_path / "site" / "page.md").read_text("utf-8") == text
    assert not (tmp_path / "site" / "b.md").exists()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="other.html#there">x</a>', None),
        ('<a href="https://example.com">x</a>', None),
        ('<a href="gone.html">x</a>', "page.html: gone.html leads nowhere"),
        ('<a href="other.html#gone">x</a>', "page.html: other.html#gone: no such anchor"),
        ('<a href="#gone">x</a>', "page.html: #gone: no such anchor"),
        ('<img src="gone.png">', "page.html: gone.png leads nowhere"),
        ('<script src="https://example.com/a.js"></script>', "page.html: loads https://example.com/a.js"),
        ('<link rel="stylesheet" href="//example.com/a.css">', "page.html: loads //example.com/a.css"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path: Path, body: str, fault: str | None) -> None:
    write(tmp_path / "page.html", body)
    write(tmp_path / "other.html", '<h2 id="there">There</h2>')
    assert find_faults(tmp_path) == ([fault] if fault else [])


def test_every_page_is_in_the_navigation() -> None:
    navigation = (REPOSITORY / "zensical.toml").read_text("utf-8")
    pages = [path.relative_to(REPOSITORY / "docs").as_posix() for path in (REPOSITORY / "docs").rglob("*.md")]
    assert not [page for page in pages if f'"{page}"' not in navigation]
