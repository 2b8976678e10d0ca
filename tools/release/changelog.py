"""CHANGELOG.md, read strictly: its form is that of Keep a Changelog."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from packaging.version import InvalidVersion, Version

KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
_TITLE = "# Changelog"
_HEADING = re.compile(r"## \[(?P<name>[^]]+)\](?: - (?P<day>\d{4}-\d{2}-\d{2})(?: \[YANKED\])?)?")
_LINK = re.compile(r"\[[^]]+\]: \S+")


@dataclass(slots=True)
class ReleaseNotes:
    """A section of the changelog: one release, or what is not released yet."""

    version: Version | None
    day: date | None
    entries: dict[str, int] = field(default_factory=dict)
    """How many there are of each kind."""


def read_changelog(text: str) -> list[ReleaseNotes]:
    """Return the sections in the file's order: what is not released, then the releases, newest first.

    Raises:
        ValueError: the text has another form; the message names the line.
    """
    if not text.startswith(f"{_TITLE}\n"):
        raise ValueError(f"CHANGELOG.md does not begin with {_TITLE!r}")
    sections: list[ReleaseNotes] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            _take(line, sections)
        except ValueError as error:
            raise ValueError(f"CHANGELOG.md, line {number}: {error}") from error
    if not sections:
        raise ValueError("CHANGELOG.md has no section")
    for section in sections:
        _check_filled(section)
    return sections


def _take(line: str, sections: list[ReleaseNotes]) -> None:
    """Add what a line says to the sections before it."""
    if line.startswith("## "):
        section = _section(line)
        if (section.version is None) != (not sections):
            raise ValueError("`[Unreleased]` comes first, and once")
        sections.append(section)
        if sections[:-2]:
            _check_order(*sections[-2:])
    elif sections and line.startswith("#"):
        kind = line.removeprefix("### ")
        entries = sections[-1].entries
        if kind not in KINDS:
            raise ValueError(f"{line!r} is none of {', '.join(KINDS)}, as `### Added`")
        if entries and KINDS.index(kind) <= KINDS.index([*entries][-1]):
            raise ValueError(f"{kind} comes twice, or after {[*entries][-1]}")
        entries[kind] = 0
    elif sections and line.startswith("- ") and sections[-1].entries:
        sections[-1].entries[[*sections[-1].entries][-1]] += 1
    elif sections and line.strip() and not line.startswith("  ") and not _LINK.fullmatch(line):
        raise ValueError("neither a heading nor an entry: `- ` begins one, two spaces go on with it")


def _section(line: str) -> ReleaseNotes:
    found = _HEADING.fullmatch(line)
    if found is None:
        raise ValueError("not of the form `## [1.2.3] - 2026-01-31`")
    name, day = found["name"], found["day"]
    if name == "Unreleased" and day is None:
        return ReleaseNotes(None, None)
    try:
        version = Version(name)
    except InvalidVersion as error:
        raise ValueError(str(error)) from error
    if str(version) != name or day is None:
        raise ValueError(f"not of the form `## [{version}] - 2026-01-31`")
    return ReleaseNotes(version, date.fromisoformat(day))


def _check_order(newer: ReleaseNotes, older: ReleaseNotes) -> None:
    assert newer.version and older.version and newer.day and older.day  # noqa: S101, PT018 - only the first has none
    if newer.version <= older.version or newer.day < older.day:
        raise ValueError(f"{older.version} is not older than {newer.version} above it")


def _check_filled(section: ReleaseNotes) -> None:
    name = section.version or "[Unreleased]"
    for kind, entries in section.entries.items():
        if not entries:
            raise ValueError(f"CHANGELOG.md: {name} has no entry under {kind}")
    if section.version and not section.entries:
        raise ValueError(f"CHANGELOG.md: {name} has no entry")
