"""Processes forked from one that has loaded a classifier: they answer, and they end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers.openvino_bundle import add_openvino
from helpers.threaded_bundle import as_encoder

from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

HANGS = 600
FORKS = """
import os, sys, warnings
from sentiment_edge import load

warnings.simplefilter("ignore", DeprecationWarning)  # a process with threads is forked: what this is about
TEXTS = ["I loved it."] * 40 + ["dreadful " * 60] * 10

def main(bundle, engine, threads, forks):
    classifier = load(bundle, engine=engine, threads=threads)
    for number in range(forks):
        if number == forks // 2:
            expected = classifier(TEXTS)  # from here on the children inherit a session
        child = os.fork()
        if child == 0:
            if number % 3:
                assert [answer.label for answer in classifier(TEXTS)][:40] == ["positive"] * 40 or engine != "onnxruntime"
                assert number < forks // 2 or classifier(TEXTS) == expected
            if number % 2:
                sys.exit(0)
            return  # to the program's end
        status = os.waitpid(child, 0)[1]
        assert status == 0, (number, status)
    assert classifier(TEXTS) == expected
    print("parent done")

main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
"""
"""Children end by `sys.exit` and by reaching the program's end; of three, one leaves the classifier alone."""
WHILE_USED = """
import os, sys, threading, warnings
from sentiment_edge import load

warnings.simplefilter("ignore", DeprecationWarning)
classifier = load(sys.argv[1], engine=sys.argv[2], threads=2)
label = classifier("I loved it.").label
stop = threading.Event()

def use():
    while not stop.is_set():
        classifier(["I loved it.", "dreadful " * 60] * 4)

users = [threading.Thread(target=use) for _ in range(2)]
for user in users:
    user.start()
try:
    for _ in range(10):
        child = os.fork()
        if child == 0:
            stop.set()
            sys.exit(classifier("I loved it.").label != label)
        assert os.waitpid(child, 0)[1] == 0
finally:
    stop.set()
print("parent done")
"""
MULTIPROCESSING = """
import multiprocessing, sys, warnings
from concurrent.futures import ProcessPoolExecutor
from sentiment_edge import load

warnings.simplefilter("ignore", DeprecationWarning)

def answer(classifier, label):
    sys.exit(classifier(["I loved it."] * 20)[0].label != label)

def main(bundle, engine, method):
    classifier = load(bundle, engine=engine, threads=2)
    label = classifier("I loved it.").label
    context = multiprocessing.get_context(method)
    processes = [context.Process(target=answer, args=(classifier, label)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    with ProcessPoolExecutor(2, context) as pool:
        assert [each.label for each in pool.map(classifier, ["I loved it."] * 8)] == [label] * 8
    print("parent done")

if __name__ == "__main__":
    main(*sys.argv[1:])
"""
WEB = """
import os
from sentiment_edge import load

classifier = load(os.environ["BUNDLE"], engine=os.environ["ENGINE"], threads=2)
classifier(["I loved it."] * 20)

def app(environ, start_response):
    label = classifier(["I loved it."] * 20)[0].label
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [label.encode()]
"""
TASKS = """
import os
from celery import Celery
from sentiment_edge import load

folders = {name: os.path.join(os.environ["QUEUE"], name) for name in ("tasks", "control", "results")}
for folder in folders.values():
    os.makedirs(folder, exist_ok=True)
app = Celery("tasks", broker="filesystem://localhost", backend=f"file://{folders['results']}")
app.conf.broker_transport_options = {
    "data_folder_in": folders["tasks"], "data_folder_out": folders["tasks"], "control_folder": folders["control"]
}
classifier = load(os.environ["BUNDLE"], engine=os.environ["ENGINE"], threads=2)
classifier(["I loved it."] * 20)

@app.task
def label(text):
    return classifier([text] * 20)[0].label
"""
CLIENT = f"""
from tasks import classifier, label

found = [each.get(timeout={HANGS}) for each in [label.delay("I loved it.") for _ in range(8)]]
assert found == [classifier("I loved it.").label] * 8, found
"""


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, str]]:
    """Give a bundle and its engine: the default one; one whose session has threads; one of the other engine."""
    made: dict[str, Path] = {}

    def make(kind: str) -> tuple[Path, str]:
        if kind not in made:
            copy = Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path_factory.mktemp(kind) / "bundle"))
            made[kind] = {"default": lambda folder: folder, "encoder": as_encoder, "openvino": add_openvino}[kind](copy)
        return made[kind], "openvino" if kind == "openvino" else "onnxruntime"

    return make


KINDS = ("default", "encoder", "openvino")


def run(program: list[str], **options: object) -> str:
    """Run a program to its end and return its standard output; one that hangs is ended with all its children."""
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **options
    ) as process:  # type: ignore[call-overload]
        try:
            output, errors = process.communicate(timeout=HANGS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, errors.decode()
    return str(output.decode())


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_child_answers_and_ends(bundles: Callable[[str], tuple[Path, str]], kind: str, threads: str) -> None:
    bundle, engine = bundles(kind)
    assert run([sys.executable, "-c", FORKS, str(bundle), engine, threads, "36"]) == "parent done\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_child_that_is_forked_while_threads_predict_answers_and_ends(
    bundles: Callable[[str], tuple[Path, str]], kind: str
) -> None:
    bundle, engine = bundles(kind)
    assert run([sys.executable, "-c", WHILE_USED, str(bundle), engine]) == "parent done\n"


def test_where_the_system_tells_nothing_of_threads_a_child_answers_too(bundles: Callable[[str], tuple[Path, str]]) -> None:
    bundle, engine = bundles("encoder")
    untold = "from pathlib import Path\nfrom sentiment_edge_runtimes.engines import forks\nforks._THREADS = Path('nowhere')\n"
    assert run([sys.executable, "-c", untold + WHILE_USED, str(bundle), engine]) == "parent done\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("kind", ["encoder", "openvino"])
def test_processes_of_multiprocessing_answer_and_end(
    bundles: Callable[[str], tuple[Path, str]], kind: str, method: str, tmp_path: Path
) -> None:
    bundle, engine = bundles(kind)
    (tmp_path / "program.py").write_text(MULTIPROCESSING, "utf-8")
    assert run([sys.executable, "program.py", str(bundle), engine, method], cwd=tmp_path) == "parent done\n"


@pytest.mark.parametrize("kind", KINDS)
def test_gunicorns_workers_answer_and_end(bundles: Callable[[str], tuple[Path, str]], kind: str, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn", reason="needs the extra test")
    bundle, engine = bundles(kind)
    (tmp_path / "web.py").write_text(WEB, "utf-8")
    command = ["--preload", "--workers", "2", "--graceful-timeout", str(HANGS), "--bind", "127.0.0.1:0", "web:app"]
    environment = {**os.environ, "BUNDLE": str(bundle), "ENGINE": engine, "HOME": str(tmp_path)}
    program = [sys.executable, "-m", "gunicorn", *command]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment) as server:
        try:
            assert server.stderr is not None
            lines: list[str] = []
            while sum("Booting worker" in line for line in lines) < 2:
                lines.append(server.stderr.readline())
                assert lines[-1], lines
            port = int(re.findall(r"127\.0\.0\.1:(\d+)", "".join(lines))[0])
            answers = {ask(port) for _ in range(8)}
            server.terminate()
            _, rest = server.communicate(timeout=2 * HANGS)
        except BaseException:
            server.kill()
            raise
    log = "".join(lines) + rest
    assert answers <= {"positive", "negative"}
    assert len(answers) == 1
    assert server.returncode == 0, log
    assert log.count("Worker exiting") == 2, log
    assert "was sent" not in log, log
    assert "terminate called" not in log, log


def ask(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=HANGS)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_celerys_workers_answer_and_end(bundles: Callable[[str], tuple[Path, str]], tmp_path: Path) -> None:
    pytest.importorskip("celery", reason="needs the extra test")
    bundle, engine = bundles("encoder")
    for name, text in (("tasks", TASKS), ("client", CLIENT)):
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    environment = {**os.environ, "BUNDLE": str(bundle), "ENGINE": engine, "QUEUE": str(tmp_path / "queue")}
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    pool = ["--pool", "prefork", "--concurrency", "2", "--max-tasks-per-child", "2"]  # so that workers end, too
    with (tmp_path / "log").open("wb") as log:
        program = [sys.executable, "-m", "celery", "-A", "tasks", "worker", *pool, *quiet]
        worker = subprocess.Popen(program, stdout=log, stderr=log, cwd=tmp_path, env=environment)
        try:
            run([sys.executable, "client.py"], cwd=tmp_path, env=environment)
            worker.terminate()
            status = worker.wait(HANGS)
        finally:
            worker.kill()
    written = (tmp_path / "log").read_text("utf-8")
    assert status == 0, written
    assert "ERROR" not in written, written
    assert "SIGABRT" not in written, written
