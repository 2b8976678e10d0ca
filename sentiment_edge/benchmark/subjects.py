"""The subjects of a benchmark: a bundle under an engine with a number of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.engines.selection import choose, usable_engines
from sentiment_edge_runtimes.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.progress import Progress
    from sentiment_edge_runtimes.vocabulary import EngineChoice, EngineName


class Subject(NamedTuple):
    """One way to run a bundle."""

    bundle: Bundle
    engine: EngineName
    threads: int


def find_subjects(bundles: Sequence[Bundle], engines: Sequence[EngineChoice], threads: Sequence[int]) -> list[Subject]:
    """Return every bundle under each engine with each number of threads.

    Args:
        bundles: the bundles to measure.
        engines: the engines to measure; empty for all that are installed and that a bundle has a model for.
        threads: the numbers of threads to measure.

    Raises:
        EngineError: a bundle has no model for an engine that was asked for, or none of its engines is installed.
    """
    subjects: list[Subject] = []
    for bundle in bundles:
        for count in threads:
            asked = engines or usable_engines(bundle)
            names = dict.fromkeys(choose(bundle, name, count).engine for name in asked)
            subjects += (Subject(bundle, name, count) for name in names)
    return subjects


def open_subjects(subjects: Sequence[Subject], progress: Progress, *, asked: bool) -> Iterator[tuple[Subject, Engine]]:
    """Yield each subject with its engine started; unless it was asked for, one that cannot run here is left out.

    Raises:
        EngineError: an engine that was asked for cannot run its bundle here, or none can.
    """
    refused = []
    for subject in subjects:
        try:
            engine = open_engine(*subject)
            engine.sharing(1)  # or it would be refused only when it is run
        except EngineError as error:
            if asked:
                raise
            refused.append(str(error))
        else:
            yield subject, engine
    for reason in dict.fromkeys(refused):
        progress.remark(f"left out: {reason}")
    if len(refused) == len(subjects):
        raise EngineError("no engine here can run any of these bundles")
