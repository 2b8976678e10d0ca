"""A column of texts in a dataset of Ray, labelled on its cluster. Needs the extra `ray`, and this package on its nodes.

label(ray.data.read_parquet("reviews")).write_parquet("labelled")
"""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING

from sentiment_edge.bulk.node_copy import NodeCopy
from sentiment_edge.bulk.task import Task, open_classifier, plan_task
from sentiment_edge.extras import needs_extra
from sentiment_edge_runtimes.errors import InputError, OptionError, TextError, check_at_least
from sentiment_edge_runtimes.inputs import free_names

with needs_extra("ray"):
    import pyarrow as pa
    import ray
    from ray.data import ActorPoolStrategy, Dataset

    from sentiment_edge.bulk import arrow

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from sentiment_edge_runtimes.vocabulary import EngineChoice, OnError

__all__ = ["label"]

_ROWS = 16_384
"""Rows of a block: enough for texts of like length in each batch, few enough that a few large files keep all workers busy."""


def label(  # noqa: PLR0913 - as Ray's own: every option has a default and is passed by name
    dataset: Dataset,
    bundle: str | os.PathLike[str] | None = None,
    column: str = "text",
    *,
    engine: EngineChoice = "auto",
    on_error: OnError = "raise",
    concurrency: int | None = None,
    num_cpus: int = 1,
    worker_path: str | None = None,
) -> Dataset:
    """Return the dataset with the columns label, score, scores and truncated, and with error where errors are returned.

    Where such a name is taken, the new one is `predicted_label` and so on. A row without a text, or with a blank one, has nulls
    there. Each worker is an actor that keeps the model. Ray need not keep the rows in order: carry an id.

    Args:
        dataset: the dataset; its other columns stay as they are.
        bundle: the bundle's folder here; by default the model that comes with this package, which is not sent.
        column: the name of the column that holds the texts.
        engine: the engine that all workers use; `auto` for the one that is chosen here.
        on_error: what to do with a text that cannot be answered: `raise` fails the job, `return` gives the reason as error.
        concurrency: the workers; by default as many as leave one CPU of the cluster for reading.
        num_cpus: the CPUs, and threads, of each worker.
        worker_path: the bundle's folder on the nodes, where they all have one; otherwise the bundle is sent to them.

    Raises:
        OptionError: an option has no such value, there is no such column, or so many workers would leave no CPU for reading.
        InputError: the column does not hold strings.
        BundleError: the bundle is missing, damaged, malformed or too new.
        EngineError: none of the bundle's engines can run it here.
    """
    task, root = plan_task(bundle, engine, on_error)
    names = _check_column(dataset, column)
    pool = _pool(concurrency, num_cpus)
    source = worker_path if root is None or worker_path is not None else ray.put(_read_files(root))
    return dataset.repartition(target_num_rows_per_block=_ROWS).map_batches(
        _Worker,
        fn_constructor_args=(task, column, _new_names(on_error, names), source, num_cpus),
        batch_format="pyarrow",
        batch_size=None,
        num_cpus=num_cpus,
        compute=pool,
    )


class _Worker:
    """An actor with a model."""

    def __init__(
        self, task: Task, column: str, names: dict[str, str], source: ray.ObjectRef | str | None, threads: int
    ) -> None:
        self._on_error, self._column, self._names = task.on_error, column, names
        folder = _copy(task, source) if isinstance(source, ray.ObjectRef) else source
        self._classifier = open_classifier(task, folder, threads)

    def __call__(self, table: pa.Table) -> pa.Table:
        """Return a block with its answers."""
        try:
            answers = arrow.label(self._classifier, table[self._column], on_error=self._on_error)
        except KeyError:
            names = ", ".join(table.column_names)
            raise InputError(f"some of the files have no column {self._column!r}, only {names}; leave them out") from None
        except TextError as error:
            row = table.slice(error.position or 0, 1).drop_columns([self._column]).to_pylist()
            raise InputError(f"the row {row[0]!r:.200}: {error.problem}") from error
        for field, name in self._names.items():
            chunks = [chunk.flatten()[answers.type.get_field_index(field)] for chunk in answers.chunks]
            table = table.append_column(name, pa.chunked_array(chunks, answers.type.field(field).type))
        return table


def _copy(task: Task, files: ray.ObjectRef) -> Path:
    """Return the folder of this node's copy of the bundle, which this process uses until it ends."""
    copy = NodeCopy(task.fingerprint, lambda folder: _write_files(ray.get(files), folder))
    atexit.register(copy.release)
    return copy.folder


def _new_names(on_error: OnError, taken: list[str]) -> dict[str, str]:
    """Return the names of the new columns, by the answer's fields."""
    fields = ("label", "score", "scores", "truncated") + ("error",) * (on_error == "return")
    return dict(zip(fields, free_names(fields, taken), strict=True))


def _check_column(dataset: Dataset, column: str) -> list[str]:
    """Return the names of a dataset's columns, one of which holds the texts."""
    schema = dataset.schema()
    names = [] if schema is None else list(schema.names)
    if column not in names:
        raise OptionError("column", f"no column is named {column!r}; there are {', '.join(map(str, names)) or 'none'}")
    kind = schema.types[names.index(column)]
    if isinstance(kind, pa.DataType):
        arrow.check_strings(kind)
    return names


def _pool(concurrency: int | None, num_cpus: int) -> ActorPoolStrategy:
    """Return the workers that Ray may start: it reads on the CPUs that they leave, and would wait for one for ever."""
    check_at_least("num_cpus", num_cpus, 1)
    nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    cpus, fitting = sum(nodes), sum(node // num_cpus for node in nodes)
    most = fitting - (fitting * num_cpus == cpus)
    if most < 1:
        raise OptionError(
            "num_cpus", f"no worker of {num_cpus} fits on a node with a CPU left for reading; the nodes' CPUs: {nodes}"
        )
    if concurrency is None:
        return ActorPoolStrategy(min_size=1, max_size=most)
    check_at_least("concurrency", concurrency, 1)
    if concurrency > most:
        raise OptionError(
            "concurrency", f"{concurrency} workers would leave none of the cluster's {cpus} CPUs for reading; {most} at most"
        )
    return ActorPoolStrategy(size=concurrency)


def _read_files(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


def _write_files(files: dict[str, bytes], folder: Path) -> None:
    for name, contents in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(contents)
