"""The choice of an engine for a bundle: the only one that can run it, the one asked for, or the faster one on this machine."""

from __future__ import annotations

import json
import math
import os
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentiment_edge_runtimes.batching import padded_length
from sentiment_edge_runtimes.engines.loader import check_options, install_command, open_engine
from sentiment_edge_runtimes.engines.parallel import run_all
from sentiment_edge_runtimes.errors import EngineError
from sentiment_edge_runtimes.machine.cache import recall, remember
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.vocabulary import ENGINE_CHOICES, ENGINES, EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.vocabulary import EngineChoice

ENGINE_VARIABLE = "SENTIMENT_EDGE_ENGINE"
"""Environment variable that names the engine where `engine` is `auto`."""

_EDITION = 2
"""Version of the timing and of the cached choice: raising it makes every machine time anew."""
_SHAPES = ((1, 16), (1, 64), (8, 64), (16, 32))
"""Batches to time, as texts and tokens: a short line, a long one, and two as they occur in a stream of lines."""
_MANY = 1024
"""Texts in a stream of lines at once."""
_SECONDS, _LEAST_RUNS = 0.1, 3
"""Least time and runs for each shape, the engines taking turns."""
_SLOW_SECONDS = 0.5
"""A run that takes this long is the last one: larger shapes would keep the user waiting."""


class Timing(NamedTuple):
    """The time that each engine takes for one batch."""

    texts: int
    tokens: int
    seconds: dict[EngineName, float]
    """Of the fastest of several runs, by engine."""


class Choice(NamedTuple):
    """The engine for a bundle on this machine, and why."""

    engine: EngineName
    timings: tuple[Timing, ...] = ()
    """The measurements behind the choice; empty if there was only one engine to choose."""
    refused: tuple[str, ...] = ()
    """For each engine of the bundle that is installed but cannot run it here, the reason."""


def installed_engines() -> dict[EngineName, str]:
    """Return the version of each engine that is installed; `unknown` where its library came without one, as in a frozen app."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow to import, and for a choice only
    from importlib.util import find_spec  # noqa: PLC0415

    found: dict[EngineName, str] = {}
    for name in ENGINES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            library = find_spec(name)
            if library is not None and library.origin is not None:  # a folder of that name has none
                found[name] = "unknown"
    return found


def choose(bundle: Bundle, engine: EngineChoice, threads: int) -> Choice:
    """Return the engine to run a bundle with; the first time that there are several, time them.

    Args:
        bundle: the bundle to run.
        engine: the engine; `auto` for the one that `SENTIMENT_EDGE_ENGINE` names, by default the faster one.
        threads: the CPU threads that it will have.

    Raises:
        OptionError: there is no such engine, or `threads` is not a whole number of 1 or more.
        EngineError: the bundle has no model for the engine that was asked for, none of its engines is installed, or
            `SENTIMENT_EDGE_ENGINE` names none.
    """
    names, key = _names_and_key(bundle, engine, threads)
    known = _known(names, key)
    if known is None:
        known = _measure(bundle, names, threads)
        if not known.refused:  # a refusal may be for the moment only
            remember(json.dumps(known).encode(), "engines", *key)
    return known


def foreseen(bundle: Bundle, engine: EngineChoice, threads: int) -> EngineName | None:
    """Return the engine that `choose` will return at once; None where it would time several first.

    Raises:
        OptionError, EngineError: as `choose` does.
    """
    known = _known(*_names_and_key(bundle, engine, threads))
    return None if known is None else known.engine


def _names_and_key(bundle: Bundle, engine: EngineChoice, threads: int) -> tuple[tuple[EngineName, ...], tuple[object, ...]]:
    """Return the engines to choose from, and the key of the cached choice between several."""
    check_options(engine, threads)
    names = usable_engines(bundle, engine if engine != "auto" else _environment_choice(bundle))
    if len(names) == 1:
        return names, ()
    installed = installed_engines()
    return names, (_EDITION, bundle.fingerprint, cpu_features(), threads, *((name, installed[name]) for name in names))


def _known(names: Sequence[EngineName], key: Sequence[object]) -> Choice | None:
    return Choice(names[0]) if len(names) == 1 else _parse(recall("engines", *key), names)


def usable_engines(bundle: Bundle, engine: EngineChoice = "auto") -> tuple[EngineName, ...]:
    """Return the engine that was asked for; with `auto` all that the bundle has a model for and that are installed.

    Raises:
        OptionError: there is no such engine.
        EngineError: the bundle has no model for it, or none of the bundle's engines is installed.
    """
    check_options(engine, None)
    if engine != "auto":
        bundle.model_path(engine)
        return (engine,)
    if len(bundle.manifest.engines) == 1:
        return (*bundle.manifest.engines,)  # whether it is installed is found out when it is opened
    installed = installed_engines()
    names = tuple(name for name in bundle.manifest.engines if name in installed)
    if not names:
        first = next(iter(bundle.manifest.engines))
        raise EngineError(f"{bundle.root}: none of its engines is installed: {install_command(first)}")
    return names


def _environment_choice(bundle: Bundle) -> EngineChoice:
    asked = os.environ.get(ENGINE_VARIABLE) or "auto"
    if asked not in ENGINE_CHOICES:
        raise EngineError(f"{ENGINE_VARIABLE} is {asked!r:.40}; it must be auto, {' or '.join(ENGINES)}")
    if asked != "auto" and asked not in bundle.manifest.engines:
        raise EngineError(f"{bundle.root}: no model for {asked} in it, which {ENGINE_VARIABLE} asks for")
    return asked


def _parse(stored: bytes | None, names: Sequence[EngineName]) -> Choice | None:
    """Return the choice that was cached, or None if it is not one of these engines."""
    try:
        engine, timings, refused = json.loads(stored or b"null")
        choice = Choice(engine, tuple(Timing(*timing) for timing in timings), tuple(refused))
        sound = choice.engine in names and all(isinstance(reason, str) for reason in choice.refused)
        sound = sound and all(
            {*timing.seconds} == {*names} and all(0 < seconds < math.inf for seconds in timing.seconds.values())
            for timing in choice.timings
        )
    except (AttributeError, TypeError, ValueError, OverflowError, RecursionError):
        return None
    return choice if sound else None


def _measure(bundle: Bundle, names: Sequence[EngineName], threads: int) -> Choice:
    engines: dict[EngineName, Engine] = {}
    refused: list[str] = []
    for name in names:
        try:
            engine = open_engine(bundle, name, threads)
            engine(*_batch(bundle, *_shapes(bundle)[0]))
        except EngineError as error:
            refused.append(str(error))
        else:
            engines[name] = engine
    if not engines:
        raise EngineError("; ".join(refused))
    if len(engines) == 1:
        return Choice(next(iter(engines)), refused=tuple(refused))
    timings = tuple(_timings(bundle, engines))
    return Choice(_best(engines, timings), timings, tuple(refused))


def _best(names: Mapping[EngineName, object], timings: Sequence[Timing]) -> EngineName:
    """Return the engine whose worst time is closest to the best one, over all shapes, as a ratio."""

    def worst_loss(name: EngineName) -> float:
        return max(timing.seconds[name] / min(timing.seconds.values()) for timing in timings)

    return min(names, key=worst_loss)


def _shapes(bundle: Bundle) -> list[tuple[int, int]]:
    """Return the shapes to time, each made one that the model takes."""
    shapes = (
        (bundle.manifest.batch or texts, padded_length(min(tokens, bundle.manifest.max_length), bundle.manifest.grid))
        for texts, tokens in _SHAPES
    )
    return list(dict.fromkeys(shapes))


def _timings(bundle: Bundle, engines: Mapping[EngineName, Engine]) -> Iterator[Timing]:
    """Yield the timing of each shape, up to one that takes long. Engines take turns, so that all see the same noise."""
    for texts, tokens in _shapes(bundle):
        batch = _batch(bundle, texts, tokens)
        for engine in engines.values():
            _seconds(engine, batch)  # the first run of a shape prepares it
        runs: dict[EngineName, list[float]] = {name: [] for name in engines}
        start = time.perf_counter()
        while True:
            for name, engine in engines.items():
                runs[name].append(_seconds(engine, batch))
            longest = max(each[-1] for each in runs.values())
            rounds = len(runs[name])
            if longest > _SLOW_SECONDS or (rounds >= _LEAST_RUNS and time.perf_counter() - start > _SECONDS):
                break
        yield Timing(texts, tokens, {name: min(each) for name, each in runs.items()})
        if longest > _SLOW_SECONDS:
            return


def _batch(bundle: Bundle, texts: int, tokens: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ids = np.full((texts, tokens), bundle.manifest.pad_id, dtype=np.int64)
    return ids, np.ones_like(ids)


def _seconds(engine: Engine, batch: tuple[NDArray[np.int64], NDArray[np.int64]]) -> float:
    """Return the seconds that a batch takes; one of several texts runs beside others, as in a stream of lines."""
    session, at_once = engine.sharing(_MANY) if len(batch[0]) > 1 else (engine, 1)
    start = time.perf_counter()
    run_all(lambda _: session(*batch), range(at_once), at_once)
    return (time.perf_counter() - start) / at_once
