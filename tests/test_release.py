"""What a release rests on: one version, a changelog in its form, builds that are compared, a true table of licences."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tools.release.builds import compare_bytes, compare_contents
from tools.release.changelog import read_changelog
from tools.release.licences import PAGE, rows
from tools.release.versions import check_tag, project_version
from tools.steps import read_project

ROOT = Path(__file__).parents[1]
RELEASED = """# Changelog

Any text.

## [Unreleased]

## [1.1.0] - 2026-03-01

### Added

- One
  that goes on.
- Two

### Fixed

- Three

## [1.0.0] - 2026-02-01 [YANKED]

### Added

- Four
"""
MALFORMED = {
    "title": ("# Changelog", "# Changes", "begin with"),
    "no unreleased": ("## [Unreleased]\n", "", "comes first"),
    "unreleased twice": ("## [1.0.0] - 2026-02-01 [YANKED]", "## [Unreleased]", "comes first, and once"),
    "no date": ("## [1.1.0] - 2026-03-01", "## [1.1.0]", "form `## [1.1.0] - 2026"),
    "no such day": ("2026-03-01", "2026-02-30", "line 7: day"),
    "no version": ("[1.1.0]", "[next]", "Invalid version"),
    "another form": ("[1.1.0]", "[v1.1]", "not of the form"),
    "older above": ("[1.0.0]", "[1.2.0]", "line 19: 1.2.0 is not older than 1.1.0"),
    "later below": ("2026-02-01", "2026-04-01", "not older"),
    "another kind": ("### Fixed", "### Mended", "none of Added"),
    "kinds in another order": ("### Fixed", "### Added", "twice, or after"),
    "a kind without entries": ("- Three\n", "", "no entry under Fixed"),
    "a release without entries": ("### Added\n\n- Four\n", "", "1.0.0 has no entry"),
    "text outside an entry": ("- Two", "Two", "line 13: neither"),
    "an entry of no kind": ("## [Unreleased]\n", "## [Unreleased]\n\n- Five\n", "line 7: neither"),
}


def test_the_changelog_has_its_form() -> None:
    sections = read_changelog((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert [section.version for section in sections].count(None) == 1


def test_sections_of_a_changelog() -> None:
    sections = read_changelog(RELEASED)
    assert [str(section.version) for section in sections] == ["None", "1.1.0", "1.0.0"]
    assert [section.entries for section in sections] == [{}, {"Added": 2, "Fixed": 1}, {"Added": 1}]
    assert str(sections[1].day) == "2026-03-01"


@pytest.mark.parametrize("case", MALFORMED)
def test_another_form_is_refused(case: str) -> None:
    old, new, message = MALFORMED[case]
    assert RELEASED.count(old) >= 1
    with pytest.raises(ValueError, match=re.escape(message)):
        read_changelog(RELEASED.replace(old, new, 1))


def test_a_tag_must_be_the_version_and_its_notes_be_written() -> None:
    sections = read_changelog(RELEASED)
    check_tag("v1.1.0", "1.1.0", sections)
    for tag, number, message in (
        ("1.1.0", "1.1.0", "whose tag is 'v1.1.0'"),
        ("v1.1.1", "1.1.0", "whose tag is 'v1.1.0'"),
        ("v1.2.0", "1.2.0", "has 1.1.0 where 1.2.0 should be"),
        ("v1.1", "1.1", "has 1.1.0 where 1.1 should be"),
        ("v1.1.0-rc1", "1.1.0-rc1", "normal form is 1.1.0rc1"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            check_tag(tag, number, sections)
    kept_back = read_changelog(RELEASED.replace("## [Unreleased]\n", "## [Unreleased]\n\n### Added\n\n- Five\n"))
    with pytest.raises(ValueError, match=r"still has entries under \[Unreleased\]"):
        check_tag("v1.1.0", "1.1.0", kept_back)
    with pytest.raises(ValueError, match="has no release where"):
        check_tag("v1.1.0", "1.1.0", read_changelog("# Changelog\n\n## [Unreleased]\n"))


def test_check_tag_says_what_is_wrong() -> None:
    command = [sys.executable, "-m", "tools.release", "check-tag", "v0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("release: the tag is 'v0'") and done.stderr.count("\n") == 1


def test_pyproject_alone_states_the_version() -> None:
    stated = project_version()
    command = [sys.executable, "-m", "sentiment_edge", "--version"]
    assert (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        == stated
        == version("sentiment-edge")
    )
    assigned = re.compile(r"""^(__version__|VERSION|version)\b[^=\n]*=\s*["']\d""", re.MULTILINE)
    named = re.compile(rf"sentiment[-_]edge\W{{1,4}}v?{re.escape(stated)}(?![\d.])")
    texts = [path for folder in ("sentiment_edge", "export", "runtimes", "examples") for path in (ROOT / folder).rglob("*.py")]
    for path in [*texts, ROOT / "Dockerfile", ROOT / "Makefile", ROOT / "README.md", ROOT / "examples/node/package.json"]:
        text = path.read_text("utf-8")
        assert not assigned.search(text) and not named.search(text), path


def test_classifiers_name_the_pythons_that_ci_tests() -> None:
    project = read_project()["project"]
    named = {line.rpartition(" ")[2] for line in project["classifiers"] if ":: 3." in line}
    workflow = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    assert named == {*re.findall(r'"(3\.\d+)"', workflow)}
    assert project["requires-python"] == f">={min(named, key=lambda name: int(name[2:]))}"


def test_builds_that_differ_are_told(tmp_path: Path) -> None:
    builds = [tmp_path / "one.whl", tmp_path / "two.whl", tmp_path / "three.whl"]
    for build in builds:
        build.write_bytes(b"same")
    compare_bytes(builds)
    builds[2].write_bytes(b"else")
    with pytest.raises(ValueError, match=r"builds of one\.whl differ"):
        compare_bytes(builds)


def test_an_sdist_that_holds_more_or_less_is_told(tmp_path: Path) -> None:
    sdist = tmp_path / "sdist.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for name in ("a/PKG-INFO", "a/code.py", "a/docs/page.md"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    compare_contents(sdist, ["docs/page.md", "code.py"])
    with pytest.raises(ValueError, match=re.escape("lacks tests/t.py")):
        compare_contents(sdist, ["docs/page.md", "code.py", "tests/t.py"])
    with pytest.raises(ValueError, match=re.escape("holds docs/page.md, which git does not track")):
        compare_contents(sdist, ["code.py"])


@pytest.mark.skipif(sys.platform != "linux", reason="the table is of Linux")
@pytest.mark.parametrize("extra", ["", "openvino", "serve", "plot", "parquet", "export"])
def test_the_table_of_licences_has_what_is_installed(extra: str) -> None:
    if extra == "export":
        pytest.importorskip("torch", reason="needs the extra export")
    table = dict(re.findall(r"^\| (\S+) \| ([^|]+) \| (?:yes|no) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    try:
        installed = {name: licence for name, licence, *_ in rows(extras=[extra] if extra else [])}
    except ValueError as error:
        pytest.skip(str(error))
    pinned = dict(re.findall(r"^(\S+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    if others := [name for name in installed.keys() & pinned if version(name).partition("+")[0] != pinned[name]]:
        pytest.skip(f"not the versions of constraints.txt: {', '.join(others)}")
    assert installed == {name: table.get(name) for name in installed}, "python -m tools.release licences writes the table"
