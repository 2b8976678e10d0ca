"""A column of texts, labelled on a Spark cluster. Needs the extra `spark`, Spark 4.1 or later, and this package on its workers.

sentiment = label(spark)
reviews.withColumn("sentiment", sentiment("text")).write.parquet("labelled")
"""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING

from sentiment_edge.bulk.task import Task, open_classifier, plan_task
from sentiment_edge.extras import needs_extra
from sentiment_edge_runtimes.errors import InputError, TextError

with needs_extra("spark"):
    from pyspark import SparkFiles, TaskContext
    from pyspark.sql.functions import ArrowUDFType, arrow_udf
    from pyspark.sql.pandas.types import from_arrow_type

    from sentiment_edge.bulk import arrow

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from pyspark.sql import Column, SparkSession

    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.vocabulary import EngineChoice, OnError

__all__ = ["label"]

_SENDING = Lock()


def label(
    spark: SparkSession,
    bundle: str | os.PathLike[str] | None = None,
    *,
    engine: EngineChoice = "auto",
    on_error: OnError = "raise",
    worker_path: str | None = None,
) -> Callable[[Column | str], Column]:
    """Return a function from a column of strings to a column of answers; see `sentiment_edge.bulk.arrow.label`.

    Each Python worker opens the bundle once and keeps it, and uses the CPUs of a task (`spark.task.cpus`).

    Args:
        spark: the session; the bundle is sent to its workers as an archive, which Spark unpacks and removes.
        bundle: the bundle's folder here; by default the model that comes with this package, which is not sent.
        engine: the engine that all workers use; `auto` for the one that is chosen here.
        on_error: what to do with a text that cannot be answered: `raise` fails the job, `return` gives the reason as `error`.
        worker_path: the bundle's folder on the workers, where they all have one; it is not sent then.

    Raises:
        OptionError: an option has no such value.
        BundleError: the bundle is missing, damaged, malformed or too new.
        EngineError: none of the bundle's engines can run it here.
    """
    task, root = plan_task(bundle, engine, on_error)
    sent = None if root is None or worker_path is not None else _send(spark, root, task.fingerprint)

    def answers(chunks: Iterator[pa.Array]) -> Iterator[pa.Array]:
        return _answer(chunks, task, sent, worker_path)

    kind = from_arrow_type(arrow.answer_type(task.labels))
    column = arrow_udf(answers, kind, ArrowUDFType.SCALAR_ITER)
    labelled: Callable[[Column | str], Column] = column.asNondeterministic()  # or a filter on the answers labels all rows twice
    return labelled


def _send(spark: SparkSession, root: Path, fingerprint: str) -> str:
    """Send the bundle's folder to the workers, and return the name under which they have it."""
    name = f"sentiment-edge-{fingerprint[:16]}"
    with _SENDING:
        archive = _archives() / f"{name}.zip"
        if not archive.exists():
            shutil.make_archive(str(archive.with_suffix("")), "zip", root)
        spark.sparkContext.addArchive(f"{archive}#{name}")  # Spark takes the same path again, and no other for the same name
    return name


@cache
def _archives() -> Path:
    """Return the folder of what this process has sent; workers that come later still fetch it."""
    folder = Path(mkdtemp(prefix="sentiment-edge-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _answer(chunks: Iterator[pa.Array], task: Task, sent: str | None, path: str | None) -> Iterator[pa.Array]:
    context = TaskContext.get()
    classifier = _classifier(task, sent, path, 1 if context is None else context.cpus())
    row = 0
    for texts in chunks:
        try:
            yield arrow.label(classifier, texts, on_error=task.on_error)
        except TextError as error:
            partition = 0 if context is None else context.partitionId()
            raise InputError(f"partition {partition}, row {row + (error.position or 0)} of it: {error.problem}") from error
        row += len(texts)


@cache
def _classifier(task: Task, sent: str | None, path: str | None, threads: int) -> Classifier:
    """Return the classifier of this Python worker, which Spark keeps for the tasks to come."""
    return open_classifier(task, path if sent is None else SparkFiles.get(sent), threads)
