"""The pages of the site: those of `docs`, and the files of the repository that they link to, as they link to them there."""

from __future__ import annotations

import posixpath
import re
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = "docs"
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<path>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
_CODE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def copy_pages(root: Path, output: Path) -> None:
    """Copy `docs`, and what it links to in the repository, to a folder in which all links hold.

    Args:
        root: the repository.
        output: a new folder. `docs/page.md` becomes `page.md` there; other files keep their path.
    """
    shutil.copytree(root / DOCS, output)
    waiting = [path.relative_to(root).as_posix() for path in (root / DOCS).rglob("*.md")]
    done = set(waiting)
    while waiting:
        page = waiting.pop()
        text = (root / page).read_text("utf-8")
        place = output / _in_site(page)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_with_links_of_site(text, page, root), "utf-8")
        for path in _linked(root, page, text):
            if path in done or path.startswith(".") or not (root / path).is_file():
                continue
            done.add(path)
            if path.endswith(".md"):
                waiting.append(path)
            elif not path.startswith(f"{DOCS}/"):
                (output / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / path, output / path)


def _with_links_of_site(text: str, page: str, root: Path) -> str:
    """Turn links that are right in the repository into the site's; one to what the site does not have becomes its text."""

    def of_site(link: re.Match[str]) -> str:
        path = _target(root, page, link["path"])
        if (root / path).is_dir() or path.startswith("."):  # a hidden file: builders leave these out
            return link["text"]
        relative = posixpath.relpath(_in_site(path), posixpath.dirname(_in_site(page)))
        return f"[{link['text']}]({relative}{link['anchor'] or ''})"

    parts = _CODE.split(text)
    parts[::2] = [_LINK.sub(of_site, prose) for prose in parts[::2]]
    return "".join(parts)


def _linked(root: Path, page: str, text: str) -> Iterator[str]:
    """Yield the paths in the repository that a page links to."""
    for prose in _CODE.split(text)[::2]:
        for link in _LINK.finditer(prose):
            yield _target(root, page, link["path"])


def _target(root: Path, page: str, link: str) -> str:
    """Return the path in the repository that a page's link leads to; of a folder with a README, that."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
    return f"{path}/README.md" if (root / path / "README.md").is_file() else path


def _in_site(path: str) -> str:
    return path.removeprefix(f"{DOCS}/")
