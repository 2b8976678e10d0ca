"""The contestants' files, made once: a later run takes them over unless what they are made of has changed."""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import shutil
import warnings
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stdout
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from suite.contestants.contestant import Contestant
    from suite.settings import Settings
    from suite.subjects import Subject

EXPORT = Path(__file__).parents[2] / "export"
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def build(subject: Subject, contestant: Contestant, checkpoint: str, settings: Settings) -> Path:
    """Return the folder of a contestant's files, which are made where they are not there yet."""
    contestant.check()
    if contestant.ours and subject.source == "gru-mini":
        return DEFAULT_BUNDLE
    if not contestant.built_with:
        return Path(checkpoint)
    kind = f"{subject.key}-{contestant.module}"
    folder = settings.scratch / f"{kind}-{_digest(contestant.module, contestant.built_with, checkpoint)}"
    if not folder.is_dir():
        for older in settings.scratch.glob(f"{kind}-*"):
            shutil.rmtree(older)
        making = folder.with_name(f"{folder.name}.making")
        making.mkdir(parents=True)
        in_own_process(_make, contestant, checkpoint, making)
        making.rename(folder)
    return folder


def in_own_process(
    function: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs
) -> _Result:
    """Call a function in a process of its own, whose end gives all memory back: exporters hold several times the model's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **named).result()


def _make(contestant: Contestant, checkpoint: str, folder: Path) -> None:
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = os.environ["TQDM_DISABLE"] = "1"
    with _quiet():
        contestant.build(checkpoint, folder)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tools' remarks on their progress out of the tables."""
    logging.disable(logging.ERROR)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


@cache  # a source that changes while others are made would have them made again
def _digest(module: str, built_with: tuple[str, ...], checkpoint: str) -> str:
    """Return a name for what the files are made of: versions, checkpoint, and for ours the exporting code."""
    made_of = [f"{name} {version(name)}" for name in built_with]
    known = hashlib.sha256("\n".join(made_of).encode())
    own = Path(__file__).parent / f"contestants/{module}.py"
    for path in sorted(EXPORT.rglob("*.py")) if module == "ours" else [own]:
        known.update(path.read_bytes())
    folder = Path(checkpoint)
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        known.update(f"{path.name} {path.stat().st_size}".encode())
    return known.hexdigest()[:12]
