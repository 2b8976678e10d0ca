"""The example scripts for clusters: killed in the middle and run again, they give every row once, with its answer."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from helpers.bulk_rows import bundle_of_ones_own, expected, rows

from sentiment_edge import load

pq = pytest.importorskip("pyarrow.parquet")
import pyarrow as pa  # noqa: E402

_SCRIPTS = Path(__file__).parents[3] / "examples" / "bulk"
_BIN = Path(sys.executable).parent
_GIVEN = rows(120)
_ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    "PYSPARK_PYTHON": sys.executable,
    "SPARK_LOCAL_IP": "127.0.0.1",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_AUTH_MODE": "disabled",  # the cluster is reached from this machine alone
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}


@pytest.fixture
def spark() -> tuple[list[str], dict[str, str]]:
    """Give the beginning of the command that runs Spark's script, and what it needs in its environment."""
    if find_spec("pyspark") is None or (shutil.which("java") is None and not os.environ.get("JAVA_HOME")):
        pytest.skip("Spark or Java is not installed; `make bulk` installs Spark")
    submit = [str(_BIN / "spark-submit"), "--master", "local[2]", "--conf", "spark.ui.enabled=false"]
    return [*submit, str(_SCRIPTS / "label_with_spark.py")], {}


@pytest.fixture
def ray() -> Iterator[tuple[list[str], dict[str, str]]]:
    """Start a cluster, and give the beginning of the command that runs Ray's script there, and its address."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed; `make bulk` installs it")
    with tempfile.TemporaryDirectory() as temporary:
        start = [str(_BIN / "ray"), "start", "--head", "--port=0", "--num-cpus=3", "--node-ip-address=127.0.0.1", "--block"]
        start += ["--include-dashboard=false", f"--temp-dir={temporary}"]
        head = subprocess.Popen(start, env=os.environ | _ENVIRONMENT, stdout=subprocess.PIPE, text=True)
        assert head.stdout is not None
        address = next(line.split("'")[1] for line in head.stdout if "--address='" in line)
        yield [sys.executable, str(_SCRIPTS / "label_with_ray.py")], {"RAY_ADDRESS": address}
        head.terminate()
        head.communicate()


def _write_input(folder: Path) -> None:
    folder.mkdir()
    for number in range(6):
        pq.write_table(pa.Table.from_pylist(_GIVEN[number::6]), folder / f"{number}.parquet")


def _kill_after_the_first_group(command: list[str], environment: dict[str, str]) -> str:
    """Run a command until it says that a group is finished, and kill it and all that it has started; return what it said."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    said = next(line for line in process.stdout if line.endswith(" is finished\n"))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return said.split()[0]


def _labelled(output: Path) -> list[dict[str, Any]]:
    return sorted(pq.read_table(output).to_pylist(), key=lambda row: row["id"])


@pytest.mark.parametrize("engine", ["spark", "ray"])
def test_a_driver_that_is_killed_and_run_again_gives_every_row_once(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    command, needed = request.getfixturevalue(engine)
    bundle, output = bundle_of_ones_own(tmp_path / "bundle"), tmp_path / "out"
    _write_input(tmp_path / "in")
    environment = os.environ | _ENVIRONMENT | needed
    whole = [*command, str(tmp_path / "in"), str(output), "--bundle", str(bundle), "--files", "2"]
    first = _kill_after_the_first_group(whole, environment)
    again = subprocess.run(whole, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    finished = [line.split()[0] for line in again.stdout.splitlines() if line.endswith(" is finished")]
    assert first not in finished
    assert len(finished) == 2
    found = _labelled(output)
    assert [row["id"] for row in found] == [*range(len(_GIVEN))]
    assert [row["text"] for row in found] == [row["text"] for row in _GIVEN]
    answers = [row["sentiment"]["label"] if row.get("sentiment") else row.get("predicted_label") for row in found]
    wanted = expected(load(bundle, threads=1), [row["text"] for row in _GIVEN])
    assert answers == [answer and answer["label"] for answer in wanted]

    other = subprocess.run([*whole, "--files", "3"], env=environment, capture_output=True, text=True, check=False)
    assert other.returncode == 1
    assert "with other options: give another output folder" in other.stdout + other.stderr  # spark-submit joins the two
