"""The orders to the workers of a cluster: made on the driver, pickled, and carried out or refused where they arrive."""

import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from socket import gethostname

import pytest
from helpers.support import WITHOUT_OPENVINO, edit_manifest

from sentiment_edge import OptionError, load
from sentiment_edge.bulk.task import WorkerUnfit, open_classifier, plan_task
from sentiment_edge_runtimes.errors import BundleMissing


def test_orders_travel_and_open_the_same_classifier() -> None:
    task, root = plan_task(None, "onnxruntime", "return")
    assert root is None
    arrived = pickle.loads(pickle.dumps(task))  # noqa: S301 - our own
    assert arrived == task
    assert open_classifier(arrived, None, 1)("A warm film.") == load(engine="onnxruntime")("A warm film.")


def test_auto_is_settled_where_the_job_begins_and_a_bundle_of_ones_own_has_a_folder(bundle_folder: Path) -> None:
    task, root = plan_task(bundle_folder, "auto", "raise")
    assert task.engine == load(bundle_folder).engine
    assert root == bundle_folder
    assert str(bundle_folder).encode() not in pickle.dumps(task)


def test_what_the_driver_cannot_do_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="`on_error`: 'skip' is not one of raise, return"):
        plan_task(None, "auto", "skip")  # type: ignore[arg-type]
    with pytest.raises(BundleMissing):
        plan_task(tmp_path, "auto", "raise")


def test_another_version_on_a_worker_is_named(bundle_folder: Path) -> None:
    task, _ = plan_task(bundle_folder, "auto", "raise")
    with pytest.raises(WorkerUnfit, match=rf"^a worker on {re.escape(gethostname())}: .* and 0\.0\.9 where the job began"):
        open_classifier(replace(task, version="0.0.9"), bundle_folder, 1)


def test_another_bundle_on_a_worker_is_named(bundle_folder: Path) -> None:
    task, _ = plan_task(None, "auto", "raise")
    edit_manifest(bundle_folder, labels=["bad", "good"])
    with pytest.raises(WorkerUnfit, match=f"{re.escape(str(bundle_folder))} is another bundle than where the job began"):
        open_classifier(task, bundle_folder, 1)


def test_a_damaged_copy_and_a_missing_one_are_named(bundle_folder: Path) -> None:
    task, _ = plan_task(bundle_folder, "auto", "raise")
    tokenizer = bundle_folder / "tokenizer.json"
    tokenizer.write_bytes(tokenizer.read_bytes()[:-1])
    with pytest.raises(WorkerUnfit, match=r"tokenizer\.json .*copy the bundle again"):
        open_classifier(task, bundle_folder, 1)
    with pytest.raises(WorkerUnfit, match="no bundle here"):
        open_classifier(task, bundle_folder / "nowhere", 1)


def test_an_engine_that_a_worker_lacks_is_named(tmp_path: Path) -> None:
    task, _ = plan_task(None, "onnxruntime", "raise")
    orders = tmp_path / "orders"
    orders.write_bytes(pickle.dumps(replace(task, engine="openvino")))
    program = f"""{WITHOUT_OPENVINO}
import pickle
from pathlib import Path
from sentiment_edge.bulk.task import open_classifier
open_classifier(pickle.loads(Path({str(orders)!r}).read_bytes()), None, 1)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"sentiment_edge.bulk.task.WorkerUnfit: a worker on {gethostname()}: ")
    assert "openvino" in last


def test_the_refusal_reaches_the_driver_as_it_was() -> None:
    refusal = pickle.loads(pickle.dumps(WorkerUnfit("there is no room", "node7")))  # noqa: S301 - our own
    assert str(refusal) == "a worker on node7: there is no room"
