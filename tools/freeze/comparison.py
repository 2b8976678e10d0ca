"""Frozen apps beside the same app before: their answers, their sizes beside the limits, and what they say in a bad place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.freeze.workshop import APP

if TYPE_CHECKING:
    from tools.freeze.frozen_app import FrozenApp
    from tools.freeze.workshop import Workshop

_MIB = 2**20


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    outcome: str
    """In words; a size with its limit."""
    problem: str = ""
    """Empty where all is well."""


def compare(app: FrozenApp, workshop: Workshop) -> Check:
    """Run an app, and hold its answers to those that it gave before it was frozen, and its size to its limit."""
    shown = _sizes(app)
    problem = difference(app.answers(), app, workshop)
    if app.limit and app.size - app.symbols > app.limit:
        problem = problem or f"too large: {shown}"
    return Check(app.name, shown, problem)


def _sizes(app: FrozenApp) -> str:
    """Return an app's size, as `du` counts, and its limit."""
    shown = [f"{app.size / _MIB:.1f} MiB"]
    if app.symbols:
        shown.append(f"{(app.size - app.symbols) / _MIB:.1f} without the debug symbols of this Python")
    if app.limit:
        shown.append(f"at most {app.limit // _MIB}")
    return ", ".join(shown)


def difference(found: dict[str, Any], app: FrozenApp, workshop: Workshop) -> str:
    """Return what is wrong with the answers that an app gave; an empty text if nothing is."""
    if "error" in found:
        return str(found["error"])
    if str(found["package"]).startswith(str(workshop.environment)):
        return f"runs {found['package']}, which is not its own"
    if not found["verified"]:
        return "`verify` did not pass: not torch's answers"
    folder = workshop.place("unfrozen")
    command = [workshop.environment / "bin" / "python", folder / APP.name]
    before = replace(app, command=command).answers()
    if "error" in before:
        return f"before it was frozen: {before['error']}"
    return "" if found["logits"] == before["logits"] else "not the answers that it gave before it was frozen"
