"""A column labelled by real Spark, in one process and in a local cluster of two executors."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.bulk_rows import bundle_of_ones_own, encoder, expected, fails, our_line, rows
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY
from helpers.support import put_file

from sentiment_edge import load

pyspark = pytest.importorskip("pyspark", reason="Spark is not installed; `make bulk` installs it")
if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
    pytest.skip("Spark needs Java, which is not installed", allow_module_level=True)

from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402, N812 - as everyone calls it

from sentiment_edge.bulk.spark import label  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
_SCHEMA = "id long, text string, label string, stars double"


@pytest.fixture(scope="module", params=["local[2]", "local-cluster[2,1,1024]"])
def spark(request: pytest.FixtureRequest) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master(request.param).config("spark.ui.enabled", "false")
        session = builder.config("spark.executorEnv.PYTHONPATH", os.pathsep.join(sys.path)).getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        yield session
        session.stop()


def _table(spark: Any, given: list[dict[str, Any]], partitions: int = 4) -> Any:
    values = [tuple(row.values()) for row in given]
    return spark.createDataFrame(spark.sparkContext.parallelize(values, partitions), _SCHEMA)


def _labelled(table: Any, function: Callable[[str], Any]) -> list[dict[str, Any]]:
    found = [row.asDict(recursive=True) for row in table.withColumn("answer", function("text")).collect()]
    return sorted(found, key=lambda row: row["id"])


def test_answers_are_the_classifiers_and_other_columns_stay(spark: Any) -> None:
    given = rows(600)
    found = _labelled(_table(spark, given), label(spark))
    assert [{name: row[name] for name in given[0]} for row in found] == given
    wanted = expected(load(threads=1), [row["text"] for row in given])
    assert [row["answer"] for row in found] == [answer and answer | {"error": None} for answer in wanted]


def test_a_bundle_is_sent_and_gone_when_the_session_stops(spark: Any, tmp_path: Path) -> None:
    bundle = bundle_of_ones_own(tmp_path / "bundle")
    function = label(spark, bundle)
    wanted = expected(load(bundle, threads=1), [row["text"] for row in rows(60)])
    shutil.rmtree(bundle)
    found = _labelled(_table(spark, rows(60)), function)
    assert [row["answer"] and row["answer"]["label"] for row in found] == [answer and answer["label"] for answer in wanted]
    assert {row["answer"]["label"] for row in found if row["answer"]} == {"bad", "good"}


def test_an_encoders_scores_are_the_classifiers(spark: Any) -> None:
    bundle = encoder()
    for engine in load(bundle).bundle.manifest.engines:
        found = [row["answer"] for row in _labelled(_table(spark, rows(120)), label(spark, bundle, engine=engine))]
        wanted = expected(load(bundle, engine=engine, threads=1), [row["text"] for row in rows(120)])
        assert [each and each["label"] for each in found] == [each and each["label"] for each in wanted]
        scores = [each["score"] for each in wanted if each]
        assert [each["score"] for each in found if each] == pytest.approx(scores, abs=1e-5)


def test_partitions_without_texts_and_without_rows(spark: Any) -> None:
    given = [row | {"text": None} for row in rows(4)] + rows(2)[:1]
    found = _labelled(_table(spark, given, partitions=9), label(spark))
    assert [row["answer"] is None for row in found].count(True) == 4
    assert _labelled(_table(spark, []), label(spark)) == []


def test_a_filter_on_the_answers_labels_no_row_twice(spark: Any) -> None:
    answered = _table(spark, rows(60)).withColumn("answer", label(spark)("text"))
    positive = answered.where("answer.label = 'positive'").select("id", "answer.score")
    plan = positive._jdf.queryExecution().executedPlan().toString()  # noqa: SLF001 - its public form only prints
    assert plan.count("ArrowEvalPython") == 1
    averages = answered.where("answer is not null").groupBy("answer.label").agg(F.count("*").alias("rows")).collect()
    wanted = [answer["label"] for answer in expected(load(threads=1), [row["text"] for row in rows(60)]) if answer]
    assert {row["label"]: row["rows"] for row in averages} == {name: wanted.count(name) for name in set(wanted)}


@pytest.fixture
def unlucky(bundle_folder: Path) -> Path:
    """A bundle that cannot answer one text."""
    tokenizer = json.loads((bundle_folder / "tokenizer.json").read_text("utf-8"))
    put_file(bundle_folder, "tokenizer.json", json.dumps(tokenizer | {"normalizer": CATASTROPHIC}).encode())
    return bundle_folder


def test_a_text_that_fails_is_named_by_partition_and_row(spark: Any, unlucky: Path) -> None:
    given = [{**row, "text": UNLUCKY if row["id"] == 7 else "good"} for row in rows(10)]
    last = our_line(lambda: _labelled(_table(spark, given, partitions=2), label(spark, unlucky)))
    assert last.startswith("sentiment_edge_runtimes.errors.InputError: partition 1, row 2 of it: ")
    assert "tokenizer failed" in last
    found = _labelled(_table(spark, given, partitions=2), label(spark, unlucky, on_error="return"))
    assert "tokenizer failed" in found[7]["answer"].pop("error")
    assert found[7]["answer"] == {"label": None, "score": None, "scores": None, "truncated": False}
    assert all(row["answer"]["label"] for row in found if row["id"] != 7)


def test_a_column_that_is_no_string_and_one_that_is_not_there(spark: Any) -> None:
    table, function = _table(spark, rows(10)), label(spark)
    last = our_line(table.withColumn("answer", function("stars")).collect)
    assert last.endswith("texts are a column of double, not of strings: pass the column that holds the texts")
    assert "`nowhere` cannot be resolved" in fails(lambda: table.withColumn("answer", function("nowhere")))


def test_a_folder_that_workers_have_is_used_and_checked(spark: Any, tmp_path: Path, bundle_folder: Path) -> None:
    mine = bundle_of_ones_own(tmp_path / "mine")
    theirs = shutil.copytree(mine, tmp_path / "theirs")

    def last(path: Path) -> str:
        function = label(spark, mine, worker_path=str(path))
        return our_line(lambda: _labelled(_table(spark, rows(10)), function))

    found = _labelled(_table(spark, rows(10)), label(spark, mine, worker_path=str(theirs)))
    assert {row["answer"]["label"] for row in found if row["answer"]} <= {"bad", "good"}
    assert "no bundle here" in last(tmp_path / "nowhere")
    assert "is another bundle than where the job began" in last(bundle_folder)
    (bundle_folder / "tokenizer.json").write_text("{}")
    assert "tokenizer.json" in last(bundle_folder)
    assert last(bundle_folder).startswith("sentiment_edge.bulk.task.WorkerUnfit: a worker on ")


def test_another_version_on_the_workers(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_edge.bulk.task.version", lambda _: "9.9")  # here, and not in the workers' processes
    last = our_line(lambda: _labelled(_table(spark, rows(10)), label(spark)))
    assert "and 9.9 where the job began; install the same one everywhere" in last


def test_what_was_sent_is_gone_afterwards(tmp_path: Path) -> None:
    """In a process of its own, which ends: the archive lies in the driver's temporary folder until then."""
    program = f"""
from pyspark.sql import SparkSession
from sentiment_edge.bulk.spark import label
spark = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false").getOrCreate()
table = spark.createDataFrame([(1, "good"), (2, "bad")], "id long, text string").repartition(2)
print(table.withColumn("answer", label(spark, {str(bundle_of_ones_own(tmp_path / "bundle"))!r})("text")).count())
spark.stop()
"""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    environment |= {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "SPARK_LOCAL_DIRS": str(temporary),
        "SPARK_WORKER_DIR": str(temporary),
    }
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for _ in range(100):
        left = [path for path in temporary.rglob("*") if "sentiment-edge" in path.name]
        if not left:
            break
        time.sleep(0.1)  # executors end a little later
    assert left == []
