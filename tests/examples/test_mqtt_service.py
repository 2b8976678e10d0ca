"""The service of examples/mqtt_service.py, with a real broker that is absent, goes away and comes back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("paho.mqtt", reason="needs paho-mqtt, of the extra test")

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sentiment_edge import Classifier

EXAMPLE = Path(__file__).parents[2] / "examples/mqtt_service.py"
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
HANGS = 120
"""Seconds after which something that should come is taken to never come."""

pytestmark = pytest.mark.skipif(not MOSQUITTO, reason="needs mosquitto, of Debian's package of that name")


class Broker:
    """A mosquitto, which can be killed and started again at the same port."""

    def __init__(self, folder: Path, port: int, setting: str) -> None:
        self._file = folder / "mosquitto.conf"
        self.port = port
        lines = [f"listener {port} 127.0.0.1", "user root", "persistence false", setting, ""]
        self._file.write_text("\n".join(lines), "ascii")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([str(MOSQUITTO), "-c", str(self._file)], stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.rstrip().endswith("running"):
                return
        raise AssertionError("mosquitto does not start")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()


class Service:
    """The service in a process of its own, its log, and what it tells systemd."""

    def __init__(self, folder: Path, port: int) -> None:
        self._systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._systemd.settimeout(HANGS)
        address = str(folder / "notify")
        self._systemd.bind(address)
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLE, "127.0.0.1", str(port), "reviews", "reviews/labels"],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"NOTIFY_SOCKET": address},
        )
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line.rstrip("\n"))

    def line(self) -> str:
        return self._lines.get(timeout=HANGS)

    def told(self) -> str:
        return self._systemd.recv(100).decode()

    def rounds(self, count: int) -> None:
        """Wait until it has told that often that it is alive."""
        self._systemd.setblocking(False)
        while True:
            try:
                self._systemd.recv(100)
            except BlockingIOError:
                break
        self._systemd.settimeout(HANGS)
        assert {self.told() for _ in range(count)} == {"WATCHDOG=1"}

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, list[str]]:
        """Return its exit status, and the lines of its log that have not been read."""
        self.process.send_signal(number)
        status = self.process.wait(HANGS)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self._systemd.close()
        return status, list(self._lines.queue)


class Customer:
    """Publishes texts and collects labels."""

    def __init__(self, port: int) -> None:
        self._answers: Queue[dict[str, Any]] = Queue()
        ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._collect
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("reviews/labels", qos=1)
        self._client.loop_start()
        assert ready.wait(HANGS)

    def _collect(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._answers.put(json.loads(message.payload))

    def send(self, payload: bytes) -> None:
        self._client.publish("reviews", payload, qos=1).wait_for_publish(HANGS)

    def ask(self, text: str) -> dict[str, Any]:
        self.send(text.encode())
        return self._answers.get(timeout=HANGS)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_message = None  # which ends a circle: paho closes its sockets when the client is dropped


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def service(tmp_path: Path, port: int) -> Iterator[Service]:
    service = Service(tmp_path, port)
    yield service
    if service.process.poll() is None:
        service.stop(signal.SIGKILL)


@pytest.fixture
def start_broker(tmp_path: Path, port: int) -> Iterator[Callable[[str], Broker]]:
    started: list[Broker] = []

    def start(setting: str) -> Broker:
        started.append(Broker(tmp_path, port, setting))
        return started[-1]

    yield start
    for broker in started:
        broker.kill()


def test_a_broker_that_is_absent_goes_away_and_comes_back(
    port: int, service: Service, start_broker: Callable[[str], Broker], classifier: Classifier
) -> None:
    expected = classifier("I loved it.").to_dict() | {"text": "I loved it."}
    absent = f"no broker at 127.0.0.1:{port} ([Errno 111] Connection refused): waiting for it"
    assert (service.told(), service.told()) == ("READY=1", "WATCHDOG=1")
    assert service.line() == absent
    service.rounds(3)  # it tries again, without another line

    broker = start_broker("allow_anonymous true")
    assert service.line() == f"connected to 127.0.0.1:{port}"
    service.rounds(2)
    assert asked(port, "I loved it.") == expected

    broker.kill()
    assert service.line() == absent
    service.rounds(3)
    broker.start()
    assert service.line() == f"connected to 127.0.0.1:{port}"
    service.rounds(2)
    assert asked(port, "I loved it.") == expected

    assert service.stop() == (0, [])


def test_wrong_messages_cost_a_line_each(port: int, service: Service, start_broker: Callable[[str], Broker]) -> None:
    start_broker("allow_anonymous true")
    while not service.line().startswith("connected"):
        pass
    service.rounds(2)
    customer = Customer(port)
    for payload in (b"\xff\xfe", b"", b"x" * 2_000_000, "\N{PILE OF POO}\0\n".encode() * 100):
        customer.send(payload)
    assert len(customer.ask("Dreadful.")["text"]) == 300  # the last of these can be labelled
    assert customer.ask("Dreadful.")["text"] == "Dreadful."  # the answer to the one before
    customer.close()
    _, lines = service.stop(signal.SIGINT)
    assert [line.partition(": ")[0] for line in lines] == ["no label for a message"] * 3
    assert lines[1].endswith("0 bytes, 1 to 20000 allowed") and lines[2].endswith("2000000 bytes, 1 to 20000 allowed")


def test_a_broker_that_refuses_ends_it(port: int, service: Service, start_broker: Callable[[str], Broker]) -> None:
    start_broker("allow_anonymous false")
    service.process.wait(HANGS)
    status, lines = service.stop()
    assert status == 1
    assert lines[-1] == f"the broker at 127.0.0.1:{port} refuses: Not authorized"


def asked(port: int, text: str) -> dict[str, Any]:
    customer = Customer(port)
    try:
        return customer.ask(text)
    finally:
        customer.close()


def test_wrong_arguments_show_how_it_is_called() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE), "localhost"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "python mqtt_service.py localhost 1883 reviews reviews/labels" in done.stderr and "Traceback" not in done.stderr
