"""The driver's orders to the workers of a cluster, and the classifier with which a worker carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from socket import gethostname
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE, load
from sentiment_edge_runtimes.errors import BundleError, EngineError, SentimentEdgeError, check_choice
from sentiment_edge_runtimes.vocabulary import ON_ERROR

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.vocabulary import EngineChoice, EngineName, OnError

_PACKAGE = "sentiment-edge"


class WorkerUnfit(SentimentEdgeError):
    """A worker cannot carry out the orders; the message names its machine."""

    def __init__(self, problem: str, node: str | None = None) -> None:
        super().__init__(problem, node or gethostname())

    def __str__(self) -> str:
        """Return the machine and the problem."""
        problem, node = self.args
        return f"a worker on {node}: {problem}"


@dataclass(frozen=True, slots=True)
class Task:
    """The orders, alike for all workers. They travel to them pickled, and hold no path of the driver's."""

    version: str
    fingerprint: str
    """Of the bundle."""
    engine: EngineName
    labels: tuple[str, ...]
    on_error: OnError


def plan_task(bundle: str | os.PathLike[str] | None, engine: EngineChoice, on_error: OnError) -> tuple[Task, Path | None]:
    """Return the task, and the bundle's folder here; None for the default bundle, which every worker has.

    The engine is chosen here, so that all workers compute alike.

    Raises:
        OptionError: an option has no such value.
        BundleError: the bundle is missing, damaged, malformed or too new.
        EngineError: none of the bundle's engines can run it here.
    """
    check_choice("on_error", on_error, ON_ERROR)
    with load(bundle, engine=engine) as classifier:
        task = Task(version(_PACKAGE), classifier.bundle.fingerprint, classifier.engine, classifier.labels, on_error)
        return task, None if bundle is None else classifier.bundle.root


def open_classifier(task: Task, folder: str | os.PathLike[str] | None, threads: int) -> Classifier:
    """Return a worker's classifier.

    Args:
        task: the driver's orders.
        folder: the bundle's folder here; None for the default bundle.
        threads: the CPU threads that the worker may use.

    Raises:
        WorkerUnfit: this package has another version here, the bundle is another one than the driver's or cannot be opened, or
            the engine cannot run it.
    """
    if (own := version(_PACKAGE)) != task.version:
        raise WorkerUnfit(f"{_PACKAGE} is {own} there, and {task.version} where the job began; install the same one everywhere")
    try:
        classifier = load(folder, engine=task.engine, threads=threads)
        found = classifier.bundle.fingerprint
        classifier.warm_up()
    except (BundleError, EngineError) as error:
        raise WorkerUnfit(str(error)) from error
    if found != task.fingerprint:
        root = DEFAULT_BUNDLE if folder is None else folder
        raise WorkerUnfit(f"{root} is another bundle than where the job began; give all machines the same one")
    return classifier
