"""The Hub, played by a small server on loopback that speaks its protocol."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
import torch
from helpers.invocation import invoke
from helpers.support import Command
from helpers.tiny_checkpoints import tiny_weights, write_checkpoint
from huggingface_hub import close_session, constants

from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODEL = "ericwei/attention-sentiment-classifier"


class Hub(ThreadingHTTPServer):
    folder: Path
    asked: ClassVar[list[str]] = []
    gated = False
    breaks_off = False


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        path = self.path.partition("?")[0]
        found = [file for file in self.server.folder.rglob("*") if file.is_file()]
        files = {file.relative_to(self.server.folder).as_posix(): file.read_bytes() for file in found}
        if self.server.gated:
            self._answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
        elif path.startswith(f"/api/models/{MODEL}/revision/"):
            siblings = [{"rfilename": name} for name in files]
            self._answer(200, json.dumps({"id": MODEL, "sha": COMMIT, "siblings": siblings}).encode())
        elif path.startswith(f"/api/models/{MODEL}/tree/"):
            tree = [{"type": "file", "path": name, "size": len(body), "oid": name} for name, body in files.items()]
            self._answer(200, json.dumps(tree).encode())
        elif path.startswith(f"/{MODEL}/resolve/") and (name := "/".join(path.split("/")[5:])) in files:
            if self.server.breaks_off and name == "model.safetensors" and self.command == "GET":
                self._answer(500, b"{}")
                return
            self._answer(200, files[name], {"ETag": f'"{name}"', "X-Repo-Commit": COMMIT})
        else:
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(("127.0.0.1", 0), _Handler) as server:
        server.folder = write_checkpoint(tmp_path / "published", tiny_weights())
        server.asked.clear()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def environment(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our Hub and an empty cache, for processes of their own and, as the library has read its environment, for this one."""
    for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    use_cache(monkeypatch, tmp_path / "cache")
    use_hub(monkeypatch, f"http://127.0.0.1:{hub.server_address[1]}")


def use_hub(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}")
    close_session()  # it may keep connections, and proxies that it found


def use_cache(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(folder))
    monkeypatch.setattr(constants, "HF_HOME", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.mark.usefixtures("environment")
def test_a_known_name_is_fetched_once_and_then_found_offline(hub: Hub, command: Command, tmp_path: Path) -> None:
    done = command("export", "--model", "gru", "--output", tmp_path / "a", "--json")
    assert done.returncode == 0, done.stderr.decode()
    source = json.loads((tmp_path / "a" / "manifest.json").read_text())["source"]
    assert source == {"id": MODEL, "revision": COMMIT, "licence": "GPL-3.0"}
    hub.asked.clear()
    done = invoke("export", "--model", MODEL, "--offline", "--output", tmp_path / "b")
    assert done.returncode == 0, done.stderr.decode()
    assert hub.asked == []
    assert (tmp_path / "a" / "golden.jsonl").read_bytes() == (tmp_path / "b" / "golden.jsonl").read_bytes()


@pytest.mark.usefixtures("environment")
def test_pickled_weights_are_fetched_only_where_there_are_no_others(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(tiny_weights(), hub.folder / "pytorch_model.bin")
    assert find_checkpoint("gru").weights.keys() == tiny_weights().keys()
    assert not any("pytorch_model.bin" in path for path in hub.asked if "resolve" in path)
    (hub.folder / "model.safetensors").unlink()
    use_cache(monkeypatch, tmp_path / "another cache")
    done = invoke("export", "--model", "gru", "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr.decode()
    assert any("pytorch_model.bin" in path for path in hub.asked if "resolve" in path)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nobody/nothing", b"no such model on the Hub"),
        ("gur", b"did you mean gru?"),
        ("a/b/c", b"no such model or folder"),
        ("electra-huge", b"no such model or folder"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, model: str, message: bytes) -> None:
    expect_refusal(tmp_path, message, "--model", model)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("adapter_model.safetensors", b"an adapter (LORA) for some/base"),
        ("adapter_model.bin", b"an adapter (LORA) for some/base"),
        ("model-q4.gguf", b"weights in GGUF"),
        ("tf_model.h5", b"TensorFlow's weights; convert them"),
        ("onnx/model.onnx", b"a model in ONNX"),
        ("checkpoint-500/model.safetensors", b"no weights here, but in checkpoint-500"),
    ],
)
def test_files_of_another_kind_are_named(hub: Hub, tmp_path: Path, name: str, message: bytes) -> None:
    (hub.folder / "model.safetensors").unlink()
    (hub.folder / name).parent.mkdir(exist_ok=True)
    (hub.folder / name).write_bytes(b"not looked into")
    if name.startswith("adapter"):
        stated = {"base_model_name_or_path": "some/base", "peft_type": "LORA", "task_type": "SEQ_CLS"}
        (hub.folder / "adapter_config.json").write_text(json.dumps(stated), "utf-8")
    expect_refusal(tmp_path, f"{MODEL}: ".encode() + message, "--model", "gru")
    fetched = [path for path in hub.asked if "resolve" in path]
    assert not any(path.endswith((".gguf", ".h5", ".onnx")) or "checkpoint-" in path for path in fetched)


@pytest.mark.usefixtures("environment")
def test_a_gated_model_says_how_to_get_access(hub: Hub, tmp_path: Path) -> None:
    hub.gated = True
    expect_refusal(tmp_path, b"its owner must grant access", "--model", "gru")


@pytest.mark.usefixtures("environment")
def test_a_download_that_breaks_off_is_one_line(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_off = True
    expect_refusal(tmp_path, b"the download failed", "--model", "gru")


@pytest.mark.usefixtures("environment")
def test_offline_with_an_empty_cache_says_so(hub: Hub, tmp_path: Path) -> None:
    expect_refusal(tmp_path, b"not in the local cache; run once without --offline", "--model", "gru", "--offline")
    assert hub.asked == []


@pytest.mark.usefixtures("environment")
def test_no_network_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_hub(monkeypatch, "http://127.0.0.1:9")
    expect_refusal(tmp_path, b"the Hub cannot be reached, or give a folder with its files by --checkpoint", "--model", "gru")


def test_files_may_come_from_a_folder(tmp_path: Path, tiny: Path) -> None:
    done = invoke("export", "--model", "gru", "--checkpoint", tiny, "--output", tmp_path / "a", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads((tmp_path / "a" / "manifest.json").read_text())["source"]["id"] == MODEL


def expect_refusal(tmp_path: Path, message: bytes, *arguments: str) -> None:
    done = invoke("export", *arguments, "--output", tmp_path / "out")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1), done.stderr.decode()
    assert message in done.stderr
    assert not (tmp_path / "out").exists()
