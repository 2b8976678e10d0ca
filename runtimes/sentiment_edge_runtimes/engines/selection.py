"""Which engine runs a bundle here: the only one that can, the one asked for, or the one that is faster on this machine."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from sentiment_edge_runtimes.batching import padded_length
from sentiment_edge_runtimes.engines.engine import open_engine
from sentiment_edge_runtimes.errors import EngineError
from sentiment_edge_runtimes.machine.cache import recall, remember
from sentiment_edge_runtimes.machine.cpu import cpu_features
from sentiment_edge_runtimes.vocabulary import ENGINES, EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.vocabulary import EngineChoice

ENGINE_VARIABLE = "SENTIMENT_EDGE_ENGINE"
"""Names the engine where the program does not."""

_EDITION = 1
"""Of what is timed and remembered; another one starts anew."""
_SHAPES = ((1, 16), (1, 64), (8, 64), (16, 32))
"""Texts and tokens to time: a short line, a long one, and batches as lines in a stream make them."""
_SECONDS, _LEAST_RUNS = 0.1, 3
"""For each shape, of all engines together."""
_SLOW_SECONDS = 0.5
"""A run that takes so long is the last one: larger shapes would keep the user waiting."""


class Timing(NamedTuple):
    """How long engines take for one batch."""

    texts: int
    tokens: int
    seconds: dict[EngineName, float]
    """The least of several runs."""


class Choice(NamedTuple):
    """The engine for a bundle on this machine, and why."""

    engine: EngineName
    timings: tuple[Timing, ...] = ()
    """What decided; nothing where there was nothing to decide."""
    refused: tuple[str, ...] = ()
    """Why engines of the bundle that are installed cannot run it here."""


def installed_engines() -> dict[EngineName, str]:
    """Return the version of each engine that is installed."""
    found: dict[EngineName, str] = {}
    for name in ENGINES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def choose(bundle: Bundle, asked: EngineChoice, threads: int) -> Choice:
    """Return the engine to run a bundle with; the first time that there are several, time them.

    Args:
        bundle: what is to be run.
        asked: the engine, or `auto` for what `SENTIMENT_EDGE_ENGINE` says, or without that for the faster one.
        threads: CPU threads that it will have.

    Raises:
        EngineError: the bundle has no model for the engine that was asked for, or none of its engines is installed.
    """
    names = usable_engines(bundle, asked if asked != "auto" else _asked_by_environment(bundle))
    if len(names) == 1:
        return Choice(names[0])
    installed = installed_engines()
    key = (_EDITION, bundle.fingerprint, cpu_features(), threads, *((name, installed[name]) for name in names))
    known = _parse(recall("engines", *key), names)
    if known is None:
        known = _measure(bundle, names, threads)
        if not known.refused:  # which may be for the moment only
            remember(json.dumps(known).encode(), "engines", *key)
    return known


def usable_engines(bundle: Bundle, asked: EngineChoice = "auto") -> tuple[EngineName, ...]:
    """Return the engines that the bundle has a model for and that are installed; the one asked for if there is one.

    Raises:
        EngineError: there is none.
    """
    if asked != "auto":
        bundle.model_path(asked)
        return (asked,)
    if len(bundle.manifest.engines) == 1:
        return (*bundle.manifest.engines,)  # if it is not installed, opening it says so
    installed = installed_engines()
    names = tuple(name for name in bundle.manifest.engines if name in installed)
    if not names:
        wanted = next(iter(bundle.manifest.engines))
        raise EngineError(f"{bundle.root}: its engine is not installed: pip install 'sentiment-edge[{wanted}]'")
    return names


def _asked_by_environment(bundle: Bundle) -> EngineChoice:
    asked = os.environ.get(ENGINE_VARIABLE) or "auto"
    if asked not in {"auto", *ENGINES}:
        raise EngineError(f"{ENGINE_VARIABLE} is {asked!r:.40}; it must be auto, {' or '.join(ENGINES)}")
    if asked != "auto" and asked not in bundle.manifest.engines:
        raise EngineError(f"{bundle.root}: no model for {asked} in it, which {ENGINE_VARIABLE} asks for")
    return cast("EngineChoice", asked)


def _parse(stored: bytes | None, names: Sequence[EngineName]) -> Choice | None:
    """Return the choice that was remembered, if it is one between these engines."""
    try:
        engine, timings, refused = json.loads(stored or b"null")
        choice = Choice(engine, tuple(Timing(*timing) for timing in timings), tuple(refused))
    except (TypeError, ValueError):
        return None
    return choice if choice.engine in names else None


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
    """Return the engine that loses least where it loses most."""

    def worst_loss(name: EngineName) -> float:
        return max(timing.seconds[name] / min(timing.seconds.values()) for timing in timings)

    return min(names, key=worst_loss)


def _shapes(bundle: Bundle) -> list[tuple[int, int]]:
    """Return what to time, as far as the model takes it."""
    shapes = (
        (bundle.manifest.batch or texts, padded_length(min(tokens, bundle.manifest.max_length), bundle.manifest.lengths))
        for texts, tokens in _SHAPES
    )
    return list(dict.fromkeys(shapes))


def _timings(bundle: Bundle, engines: Mapping[EngineName, Engine]) -> Iterator[Timing]:
    """Yield each shape's, until one takes long. Engines take turns: whatever else the machine does, it does to all of them."""
    for texts, tokens in _shapes(bundle):
        batch = _batch(bundle, texts, tokens)
        for engine in engines.values():
            engine(*batch)  # the first run of a shape prepares it
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
    """Return what a batch takes, where there are several texts among as many batches at once as the engine is made for."""
    at_once = engine.workers if len(batch[0]) > 1 else 1
    start = time.perf_counter()
    if at_once == 1:
        engine(*batch)
    else:
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda _: engine(*batch), range(at_once)))
    return (time.perf_counter() - start) / at_once
