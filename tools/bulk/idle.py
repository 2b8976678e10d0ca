"""Workers that hand their texts back: the memory that a worker of each engine has before it labels anything.

python -m tools.bulk.idle spark|ray FOLDER
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

_SECONDS = 3
"""Long enough to be looked at."""


def spark(folder: str) -> None:
    """Let Spark's workers hand the texts back."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only one of the two engines is wanted
    from pyspark.sql.functions import ArrowUDFType, arrow_udf  # noqa: PLC0415

    def back(texts: Iterator[pa.Array]) -> Iterator[pa.Array]:
        for each in texts:
            time.sleep(_SECONDS)
            yield each

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    column = arrow_udf(back, "string", ArrowUDFType.SCALAR_ITER)
    session.read.parquet(folder).select(column("text")).write.format("noop").mode("overwrite").save()
    session.stop()


def ray(folder: str) -> None:
    """Let Ray's workers hand the texts back."""
    import ray.data  # noqa: PLC0415

    class Back:
        def __call__(self, table: pa.Table) -> pa.Table:
            time.sleep(_SECONDS)
            return table

    workers = ray.data.ActorPoolStrategy(size=1)
    ray.data.read_parquet(folder).map_batches(Back, batch_format="pyarrow", batch_size=None, compute=workers).materialize()


if __name__ == "__main__":
    {"spark": spark, "ray": ray}[sys.argv[1]](sys.argv[2])
