"""Label a column of texts in Parquet files on a Spark cluster.

spark-submit --master spark://head:7077 label_with_spark.py INPUT OUTPUT [--column text] [--bundle FOLDER]

The files are labelled in groups, each into a folder of OUTPUT; Spark marks a finished one with the file `_SUCCESS`. Run the
same command again after a failure: the groups that are finished stay as they are.
"""

import argparse
import hashlib
import sys
from typing import Any

from pyspark.sql import SparkSession

from sentiment_edge import load
from sentiment_edge.bulk.spark import label


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Label a column of texts in Parquet files on a Spark cluster.")
    parser.add_argument("input", help="a folder of Parquet files that stay the same until all are labelled")
    parser.add_argument("output", help="a folder that all nodes see; one folder of Parquet files in it for each group")
    parser.add_argument("--column", default="text", help="the column that holds the texts")
    parser.add_argument("--bundle", help="the bundle's folder here; by default the model that comes with the package")
    parser.add_argument("--engine", default="auto", help="the engine that all workers use")
    parser.add_argument("--files", type=int, default=100, help="files in a group: what a failure may cost")
    parser.add_argument(
        "--partitions", type=int, help="spread a group's rows over so many tasks; by default as Spark reads them"
    )
    return parser.parse_args()


def main() -> str | None:
    """Label the groups that are not finished; return what is wrong with the output folder."""
    given = _arguments()
    spark = SparkSession.builder.appName("sentiment-edge").getOrCreate()
    files = sorted(spark.read.parquet(given.input).inputFiles())
    sentiment = label(spark, given.bundle, engine=given.engine)
    what = [load(given.bundle).bundle.fingerprint, given.engine, given.column, str(given.files), *files]
    run = hashlib.sha256("\n".join(what).encode()).hexdigest()[:12]
    found = _children(spark, given.output)
    if others := [name for name in found if not name.startswith(f"{run}-")]:
        return f"{given.output} holds {others[0]}, of another input or with other options: give another output folder"
    for number, start in enumerate(range(0, len(files), given.files)):
        folder = f"{given.output}/{run}-{number:05}"
        if "_SUCCESS" not in _children(spark, folder):
            table = spark.read.parquet(*files[start : start + given.files])
            spread = table.repartition(given.partitions) if given.partitions else table
            spread.withColumn("sentiment", sentiment(given.column)).write.mode("overwrite").parquet(folder)
            print(f"{folder} is finished", flush=True)
    spark.stop()
    return None


def _children(spark: Any, folder: str) -> list[str]:
    """Return the names of what is in a folder of any file system that Spark knows."""
    jvm: Any = spark._jvm  # noqa: SLF001 - pyspark has no public way to list a folder
    path = jvm.org.apache.hadoop.fs.Path(f"{folder}/*")
    statuses = path.getFileSystem(spark._jsc.hadoopConfiguration()).globStatus(path)  # noqa: SLF001
    return [status.getPath().getName() for status in statuses or ()]


if __name__ == "__main__":
    sys.exit(main())
