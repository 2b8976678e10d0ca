"""A dataset labelled by real Ray, on one node and on a cluster of two."""

import gc
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.bulk_rows import bundle_of_ones_own, encoder, expected, our_line, rows
from helpers.crafted_tokenizers import CATASTROPHIC, UNLUCKY
from helpers.support import put_file

from sentiment_edge import InputError, OptionError, load
from sentiment_edge_runtimes.errors import BundleMissing

ray = pytest.importorskip("ray", reason="Ray is not installed; `make bulk` installs it")
pytest.importorskip("ray.data", reason="Ray Data is not installed; `make bulk` installs it")

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

from sentiment_edge.bulk.ray import label  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
_QUIET: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
_COPIES = Path(tempfile.gettempdir(), f"sentiment-edge-{os.getuid()}")


@pytest.fixture(scope="module", params=["one node of 3 CPUs", "two nodes of 2 CPUs"])
def nodes(request: pytest.FixtureRequest) -> Iterator[list[int]]:
    """Start Ray, and return the CPUs of its nodes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_memory_monitor_refresh_ms", "0")  # other programs' memory is no reason to kill workers here
        if request.param == "one node of 3 CPUs":
            ray.init(num_cpus=3, **_QUIET)
            cpus = [3]
        else:
            cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
            cluster.add_node(num_cpus=2)
            ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
            cpus = [2, 2]
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield cpus
        ray.shutdown()
        if len(cpus) > 1:
            cluster.shutdown()


def _dataset(folder: Path, given: list[dict[str, Any]], files: int = 1) -> Any:
    """Return a dataset of Parquet files that hold these rows."""
    folder.mkdir()
    types = pa.schema({"id": pa.int64(), "text": pa.string(), "label": pa.string(), "stars": pa.float64()})
    for number in range(files):
        pq.write_table(pa.Table.from_pylist(given[number::files], types), folder / f"{number}.parquet")
    return ray.data.read_parquet(str(folder))


def _taken(dataset: Any) -> list[dict[str, Any]]:
    return sorted(dataset.take_all(), key=lambda row: row["id"])


def _await_no_copy() -> None:
    for _ in range(900):
        left = [path.name for path in _COPIES.glob("*") if path.name != ".lock"]
        if not left:
            return
        time.sleep(0.1)  # actors end a little later than the dataset
    assert left == []


@pytest.mark.usefixtures("nodes")
def test_answers_are_the_classifiers_and_other_columns_stay(tmp_path: Path) -> None:
    given = rows(600)
    found = _taken(label(_dataset(tmp_path / "in", given)))
    assert [{name: row[name] for name in given[0]} for row in found] == given
    nothing = dict.fromkeys(("label", "score", "scores", "truncated"))
    for row, wanted in zip(found, expected(load(threads=1), [row["text"] for row in given]), strict=True):
        answer = {"label": row["predicted_label"], **{name: row[name] for name in ("score", "scores", "truncated")}}
        assert answer == (wanted or nothing)


@pytest.mark.usefixtures("nodes")
def test_a_bundle_is_sent_and_its_copies_are_gone_afterwards(tmp_path: Path) -> None:
    bundle = bundle_of_ones_own(tmp_path / "bundle")
    wanted = expected(load(bundle, threads=1), [row["text"] for row in rows(60)])
    labelled = label(_dataset(tmp_path / "in", rows(60), files=3), bundle, concurrency=2)
    shutil.rmtree(bundle)
    found = _taken(labelled)
    assert [row["predicted_label"] for row in found] == [answer and answer["label"] for answer in wanted]
    assert {row["predicted_label"] for row in found} == {"bad", "good", None}
    del labelled
    gc.collect()  # Ray of 2.51 ends actors with the last reference to their run
    _await_no_copy()


@pytest.mark.usefixtures("nodes")
def test_an_encoders_scores_are_the_classifiers(tmp_path: Path) -> None:
    bundle, dataset = encoder(), _dataset(tmp_path / "in", rows(120))
    for engine in load(bundle).bundle.manifest.engines:
        found = _taken(label(dataset, bundle, engine=engine))
        wanted = expected(load(bundle, engine=engine, threads=1), [row["text"] for row in rows(120)])
        assert [row["predicted_label"] for row in found] == [each and each["label"] for each in wanted]
        scores = [each["score"] for each in wanted if each]
        assert [row["score"] for row in found if row["score"] is not None] == pytest.approx(scores, abs=1e-5)


def test_one_large_file_is_spread_over_the_workers(nodes: list[int], tmp_path: Path) -> None:
    given = [{**row, "text": "good"} for row in rows(100_000)]
    labelled = label(_dataset(tmp_path / "in", given), concurrency=2)
    blocks = [ray.get(block).num_rows for bundle in labelled.iter_internal_ref_bundles() for block in bundle.block_refs]
    assert sum(blocks) == len(given)
    assert len(blocks) >= len(given) // 16_384
    assert max(blocks) < 2 * 16_384  # Ray of 2.51 goes a little beyond the number of rows
    assert len(nodes) > 0


@pytest.mark.usefixtures("nodes")
def test_many_small_files_and_rows_without_texts(tmp_path: Path) -> None:
    given = [row | {"text": row["text"] if row["id"] % 2 else None} for row in rows(80)]
    found = _taken(label(_dataset(tmp_path / "in", given, files=40)))
    assert [row["id"] for row in found] == [*range(80)]
    assert {row["predicted_label"] for row in found if row["id"] % 2 == 0} == {None}
    nothing = _taken(label(_dataset(tmp_path / "nulls", [row | {"text": None} for row in rows(5)])))
    assert [row["score"] for row in nothing] == [None] * 5


@pytest.fixture
def unlucky(bundle_folder: Path) -> Path:
    """A bundle that cannot answer one text."""
    tokenizer = json.loads((bundle_folder / "tokenizer.json").read_text("utf-8"))
    put_file(bundle_folder, "tokenizer.json", json.dumps(tokenizer | {"normalizer": CATASTROPHIC}).encode())
    return bundle_folder


@pytest.mark.usefixtures("nodes")
def test_a_text_that_fails_is_named_by_its_row_or_has_its_error(unlucky: Path, tmp_path: Path) -> None:
    dataset = _dataset(tmp_path / "in", [{**row, "text": UNLUCKY if row["id"] == 7 else "good"} for row in rows(10)])
    last = our_line(label(dataset, unlucky).take_all)
    assert "the row {'id': 7, 'label': 'shelf 0', 'stars': 3.5}: " in last
    assert "tokenizer failed" in last
    found = _taken(label(dataset, unlucky, on_error="return"))
    assert "tokenizer failed" in found[7]["error"]
    assert (found[7]["predicted_label"], found[7]["score"], found[7]["truncated"]) == (None, None, False)
    assert all(row["predicted_label"] and row["error"] is None for row in found if row["id"] != 7)


def test_a_pool_that_leaves_no_cpu_is_refused_with_the_number_to_use(nodes: list[int], tmp_path: Path) -> None:
    dataset, cpus = _dataset(tmp_path / "in", rows(2)), sum(nodes)
    with pytest.raises(OptionError, match=f"`concurrency`: {cpus} workers would .* reading; {cpus - 1} at most"):
        label(dataset, concurrency=cpus)
    with pytest.raises(OptionError, match="`num_cpus`: no worker of 3 fits on a node with a CPU left for reading"):
        label(dataset, num_cpus=3)
    for option in ("concurrency", "num_cpus"):
        with pytest.raises(OptionError, match=f"`{option}`: 0 is not a whole number of 1 or more"):
            label(dataset, **{option: 0})  # type: ignore[arg-type]


@pytest.mark.usefixtures("nodes")
def test_a_column_that_is_not_there_or_holds_no_strings(tmp_path: Path) -> None:
    dataset = _dataset(tmp_path / "in", rows(2))
    with pytest.raises(OptionError, match="`column`: no column is named 'nope'; there are id, text, label, stars"):
        label(dataset, column="nope")
    with pytest.raises(InputError, match="texts are a column of double, not of strings"):
        label(dataset, column="stars")
    with pytest.raises(BundleMissing):
        label(dataset, tmp_path / "nowhere")


@pytest.mark.usefixtures("nodes")
def test_files_of_another_schema_end_in_one_clear_error() -> None:
    parts = [ray.data.from_arrow(pa.table({"text": ["good"]})), ray.data.from_arrow(pa.table({"review": ["good"]}))]
    last = our_line(label(parts[0].union(parts[1])).take_all)
    assert "some of the files have no column 'text', only review; leave them out" in last
    numbers = ray.data.from_arrow(pa.table({"text": ["good"]})).union(ray.data.from_arrow(pa.table({"text": [7]})))
    assert "texts are a column of int64, not of strings" in our_line(label(numbers).take_all)


@pytest.mark.usefixtures("nodes")
def test_a_folder_that_nodes_have_is_used_and_checked(tmp_path: Path, bundle_folder: Path) -> None:
    mine, dataset = bundle_of_ones_own(tmp_path / "mine"), _dataset(tmp_path / "in", rows(9))
    theirs = shutil.copytree(mine, tmp_path / "theirs")

    def last(path: Path) -> str:
        return our_line(label(dataset, mine, worker_path=str(path)).take_all)

    labels = {row["predicted_label"] for row in _taken(label(dataset, mine, worker_path=str(theirs)))}
    assert labels <= {"bad", "good", None}
    assert "no bundle here" in last(tmp_path / "nowhere")
    assert "is another bundle than where the job began" in last(bundle_folder)


@pytest.mark.usefixtures("nodes")
def test_another_version_on_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment_edge.bulk.task.version", lambda _: "9.9")  # here, and not in the workers' processes
    last = our_line(label(_dataset(tmp_path / "in", rows(9))).take_all)
    assert "and 9.9 where the job began; install the same one everywhere" in last
