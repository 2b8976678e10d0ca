"""The engine that runs a bundle on this machine, and the reason."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.classifier import Classifier
from sentiment_edge_runtimes.engines.selection import ENGINE_VARIABLE, choose, installed_engines
from sentiment_edge_runtimes.errors import EngineError, SentimentEdgeError

if TYPE_CHECKING:
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.selection import Choice, Timing
    from sentiment_edge_runtimes.vocabulary import EngineName

_TRIAL = "I loved it."


class Diagnosis(NamedTuple):
    """The engine that this machine chooses for a bundle, or the problem if it cannot run it."""

    bundle: Bundle
    threads: int
    engine: EngineName | None
    """The chosen engine; None if there is none to choose."""
    reason: str
    """The reason for that choice."""
    asked: str | None
    """The value of `SENTIMENT_EDGE_ENGINE`, if that decides."""
    timings: tuple[Timing, ...] = ()
    refused: tuple[str, ...] = ()
    """The reasons why other engines cannot run it here."""
    problem: str | None = None
    """The reason why the bundle cannot be run here."""


def diagnose(bundle: Bundle, threads: int) -> Diagnosis:
    """Choose an engine as every command does, and label a text with it."""
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
    """Return the error if it cannot label a text: an engine chosen by name has not been tried before."""
    try:
        Classifier(bundle, engine=choice.engine, threads=threads)(_TRIAL)
    except SentimentEdgeError as error:
        return str(error)
    return None


def _reason(bundle: Bundle, choice: Choice) -> str:
    if len(bundle.manifest.engines) == 1:
        return "the bundle has a model for no other engine"
    installed = installed_engines().keys() & bundle.manifest.engines.keys()
    if len(installed) == 1:
        return "no other engine of the bundle is installed"
    return (
        "no other engine can run it here"
        if len(installed) - len(choice.refused) == 1
        else "timed here, its worst case is the best"
    )
