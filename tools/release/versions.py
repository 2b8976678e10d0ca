"""The version, which pyproject.toml alone states, and the tag that must say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from tools.steps import read_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.release.changelog import ReleaseNotes


def project_version() -> str:
    """Return the version that pyproject.toml states."""
    version: str = read_project()["project"]["version"]
    return version


def check_tag(tag: str, version: str, sections: Sequence[ReleaseNotes]) -> None:
    """Check that a tag may be set for a version, given the sections of the changelog.

    Raises:
        ValueError: the tag is not the version's, or the changelog does not have that version as its newest release, or it keeps
            entries back.
    """
    if str(Version(version)) != version:
        raise ValueError(f"pyproject.toml has the version {version}; its normal form is {Version(version)}")
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag!r}, but pyproject.toml has the version {version}, whose tag is 'v{version}'")
    unreleased, *releases = sections
    newest = releases[0].version if releases else None
    if str(newest) != version:
        raise ValueError(f"CHANGELOG.md has {newest or 'no release'} where {version} should be its newest release")
    if unreleased.entries:
        raise ValueError(f"CHANGELOG.md still has entries under [Unreleased]: move them to [{version}]")
