"""The ways to label a folder of Parquet files that are compared, each a command that is run and watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.bulk.processes import BIN, REPOSITORY, Cost, ray_nodes, watch

if TYPE_CHECKING:
    from pathlib import Path

    from sentiment_edge_runtimes.vocabulary import EngineName

_SCRIPTS = REPOSITORY / "examples" / "bulk"
SPARK = {"spark, local[2]": "local[2]", "spark, 2 executors": "local-cluster[2,1,1024]"}
RAY = {"ray, 1 node": (3,), "ray, 2 nodes": (2, 2)}
FORMS = (*SPARK, *RAY)
"""Each has two workers of one thread."""


def predict(rows: Path, output: Path, bundle: Path | None, engine: EngineName) -> Cost:
    """Label with `sentiment-edge predict` and one thread."""
    program: list[str | Path] = [BIN / "python", "-m", "sentiment_edge", "predict", *([bundle] if bundle else [])]
    for file in sorted(rows.glob("*.parquet")):
        program += ["--input", file]
    options: list[str | Path] = ["--text-column", "text", "--output", output, "--engine", engine, "--threads", "1"]
    output.mkdir()
    return watch([*program, *options], alone=True)


def spark_command(
    form: str, rows: Path, output: Path, bundle: Path | None, engine: EngineName, partitions: int = 8
) -> list[str | Path]:
    """Return the command that labels with Spark, in a form by its name or as Spark calls it."""
    conf: list[str | Path] = ["--conf", "spark.ui.enabled=false", "--conf", "spark.executor.memory=1g"]
    script: list[str | Path] = [_SCRIPTS / "label_with_spark.py", rows, output, "--engine", engine]
    script += ["--partitions", str(partitions)]
    script += ["--bundle", bundle] if bundle else []
    return [BIN / "spark-submit", "--master", SPARK.get(form, form), *conf, *script]


def ray_command(rows: Path, output: Path, bundle: Path | None, engine: EngineName) -> list[str | Path]:
    """Return the command that labels with Ray, on the cluster that runs."""
    script: list[str | Path] = [_SCRIPTS / "label_with_ray.py", rows, output, "--engine", engine]
    script += ["--bundle", bundle] if bundle else []
    return [BIN / "python", *script]


def label_with(cluster: str, workers: int, rows: Path, output: Path, engine: EngineName, partitions: int = 8) -> Cost:
    """Label by the default model with so many workers of one thread, each an executor of its own in Spark."""
    if cluster == "spark":
        return watch(spark_command(f"local-cluster[{workers},1,1024]", rows, output, None, engine, partitions))
    with ray_nodes([workers + 1]) as nodes:
        return watch([*ray_command(rows, output, None, engine), "--workers", str(workers)], *(node.pid for node in nodes))


def label(form: str, rows: Path, output: Path, bundle: Path | None, engine: EngineName) -> Cost:
    """Label with a cluster of this form, which is started for it."""
    if form in SPARK:
        return watch(spark_command(form, rows, output, bundle, engine))
    with ray_nodes(RAY[form]) as nodes:
        return watch([*ray_command(rows, output, bundle, engine), "--workers", "2"], *(node.pid for node in nodes))
