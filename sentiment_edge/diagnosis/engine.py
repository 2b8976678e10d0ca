"""Which engine runs a bundle on this machine, and why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.engines.selection import ENGINE_VARIABLE, choose, installed_engines
from sentiment_edge_runtimes.errors import EngineError

if TYPE_CHECKING:
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.selection import Choice, Timing
    from sentiment_edge_runtimes.vocabulary import EngineName

_TRIAL = "I loved it."


class Diagnosis(NamedTuple):
    """What this machine makes of a bundle."""

    bundle: Bundle
    threads: int
    engine: EngineName | None
    """What would be chosen; None where nothing can be."""
    reason: str
    """Why that one."""
    asked: str | None
    """What `SENTIMENT_EDGE_ENGINE` says, where that decides."""
    timings: tuple[Timing, ...] = ()
    refused: tuple[str, ...] = ()
    """Why other engines cannot run it here."""
    problem: str | None = None
    """Why it cannot be run."""


def diagnose(bundle: Bundle, threads: int) -> Diagnosis:
    """Choose an engine as any other command would, and label a text with it."""
    asked = os.environ.get(ENGINE_VARIABLE) or "auto"
    asked_for = asked if asked != "auto" else None
    try:
        choice = choose(bundle, "auto", threads)
    except EngineError as error:
        return Diagnosis(bundle, threads, None, "", asked_for, problem=str(error))
    reason = f"{ENGINE_VARIABLE} says so" if asked_for else _reason(bundle, choice)
    problem = _problem(bundle, choice, threads)
    return Diagnosis(bundle, threads, choice.engine, reason, asked_for, choice.timings, choice.refused, problem)


def _problem(bundle: Bundle, choice: Choice, threads: int) -> str | None:
    """Return what the engine says where it cannot label a text: what was asked for by name has not been tried yet."""
    try:
        Classifier(bundle, engine=choice.engine, threads=threads)(_TRIAL)
    except EngineError as error:
        return str(error)
    return None


def _reason(bundle: Bundle, choice: Choice) -> str:
    if len(bundle.manifest.engines) == 1:
        return "the bundle has a model for no other"
    installed = installed_engines().keys() & bundle.manifest.engines.keys()
    if len(installed) == 1:
        return "no other of the bundle's is installed"
    return "no other can run it here" if len(installed) - len(choice.refused) == 1 else "timed here, it falls behind least"
