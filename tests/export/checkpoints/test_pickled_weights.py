"""Files of torch: honest ones read as torch reads them, hostile ones refused before they cost memory, time or a call."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from typing import Any
from zipfile import ZipFile

import pytest
import torch
from helpers.torch_files import FOUR, HOSTILE, OLD_SOUND, SOUND, archive, pickles, write

from sentiment_edge.export import CheckpointError
from sentiment_edge_export.checkpoints.torch_files import list_torch_file, read_torch_file
from sentiment_edge_export.checkpoints.weights import read_weights

OLD = {"_use_new_zipfile_serialization": False}
LINEAR = torch.nn.Linear(3, 4)
BASE = torch.arange(80, dtype=torch.float32).reshape(10, 8)
TRAINING: dict[str, Any] = {
    "epoch": 3,
    "model_state_dict": LINEAR.state_dict(),
    "others": [torch.Size([2]), torch.device("cpu"), {1, 2}, b"abc", bytearray(b"x"), 1j, torch.float32, None, 1.5, 2**80, -5],
}


def stepped() -> dict[str, Any]:
    optimizer = torch.optim.Adam(LINEAR.parameters())
    LINEAR(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    return {**TRAINING, "optimizer": optimizer.state_dict()}


def with_attribute() -> torch.nn.Parameter:
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.note = "kept by torch"  # type: ignore[attr-defined]
    return parameter


HONEST = {
    "a state": LINEAR.state_dict(),
    "parameters": {**dict(LINEAR.named_parameters()), "with an attribute": with_attribute()},
    "views": {"a": BASE, "b": BASE[2:5], "c": BASE.t(), "d": BASE[0, 0], "e": torch.empty(0, 3), "f": BASE[:, ::2]},
    "a training": stepped(),
    "numbers for names": {0: torch.ones(2), 1: torch.zeros(2)},
}
KINDS = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
KINDS += [torch.bool, torch.complex64, torch.complex128]
NEW_KINDS = [torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2]


def as_torch_reads(path: Path) -> dict[str, torch.Tensor]:
    contents = torch.load(path, weights_only=True)
    contents = contents.get("model_state_dict", contents)
    return {str(name): value for name, value in contents.items()}


def same(path: Path) -> None:
    read, expected = read_torch_file(path), as_torch_reads(path)
    assert [*read] == [*expected]
    for name, tensor in expected.items():
        assert (read[name].dtype, read[name].shape, read[name].stride()) == (tensor.dtype, tensor.shape, tensor.stride())
        wide = torch.complex128 if tensor.is_complex() else torch.float64
        assert torch.equal(read[name].to(wide), tensor.detach().to(wide))
    listed = {name: (stored.dtype, stored.shape) for name, stored in list_torch_file(path).items()}
    assert listed == {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in expected.items()}


@pytest.mark.parametrize("form", [{}, OLD], ids=["current", "old"])
@pytest.mark.parametrize("contents", HONEST.values(), ids=HONEST)
def test_an_honest_file_is_read_as_torch_reads_it(tmp_path: Path, contents: object, form: dict[str, Any]) -> None:
    path = tmp_path / "weights.pt"
    torch.save(contents, path, **form)
    same(path)


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_protocol_that_torch_does_not_read_with_weights_only_is_one_line(tmp_path: Path, protocol: int) -> None:
    torch.save(HONEST["a state"], tmp_path / "weights.pt", pickle_protocol=protocol)
    with pytest.raises(CheckpointError, match=r"^[^\n]*not a torch file[^\n]*$"):
        read_torch_file(tmp_path / "weights.pt")


@pytest.mark.parametrize("form", [{}, OLD], ids=["current", "old"])
def test_every_type_of_number(tmp_path: Path, form: dict[str, Any]) -> None:
    kinds = KINDS + ([] if form else NEW_KINDS)  # torch cannot read its own old form of the new ones
    torch.save({str(kind): torch.arange(6).reshape(2, 3).to(kind) for kind in kinds}, tmp_path / "weights.pt", **form)
    same(tmp_path / "weights.pt")


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.int64, torch.complex64, torch.uint8])
def test_a_file_of_a_big_endian_machine(tmp_path: Path, kind: torch.dtype) -> None:
    numbers = torch.arange(1, 7).to(kind)
    torch.save({"w": numbers}, tmp_path / "little.pt")
    unit = kind.itemsize // (2 if kind.is_complex else 1)
    with ZipFile(tmp_path / "little.pt") as little, ZipFile(tmp_path / "big.pt", "w") as big:
        for name in little.namelist():
            data = little.read(name)
            if name.endswith("/byteorder"):
                data = b"big"
            elif "/data/" in name:
                data = b"".join(data[start : start + unit][::-1] for start in range(0, len(data), unit))
            big.writestr(name, data)
    assert torch.equal(read_torch_file(tmp_path / "big.pt")["w"], numbers)
    same(tmp_path / "big.pt")


def test_a_published_file(shared: Callable[[str], Path]) -> None:
    same(shared("checkpoints/distilbert-mini-imdb/pytorch_model.bin"))


def test_a_tensor_of_several_names_is_one(tmp_path: Path) -> None:
    torch.save({"a": BASE.half(), "b": (half := BASE.half()), "c": half}, tmp_path / "model.pt")
    read = read_weights(tmp_path)
    assert read["b"].data_ptr() == read["c"].data_ptr() != read["a"].data_ptr()


@pytest.mark.parametrize("data", [archive(SOUND, _0=FOUR), pickles(OLD_SOUND, ["0"], b"\4" + bytes(7) + FOUR)])
def test_the_hostile_files_differ_from_a_sound_one(tmp_path: Path, data: bytes) -> None:
    assert read_weights(write(tmp_path, data))["w"].tolist() == [[1, 2], [3, 4]]


READER = """
import resource, sys
from pathlib import Path
import torch
from sentiment_edge_export.checkpoints.weights import read_weights
from sentiment_edge_export.errors import CheckpointError
size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 400 * 2**20,) * 2)
for folder in sorted(Path().iterdir()):
    try:
        read_weights(folder)
        print("read")
    except CheckpointError as error:
        print(str(error))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and limits on memory")
def test_hostile_files_end_in_a_line_each_with_little_memory(tmp_path: Path) -> None:
    for number, (data, _) in enumerate(HOSTILE.values()):
        write(tmp_path / f"{number:03}", data)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.bin")}
    done = run([sys.executable, "-c", READER], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(HOSTILE)
    for (name, (_, reason)), line in zip(HOSTILE.items(), lines, strict=True):
        assert re.search(reason, line), (name, line)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["a command", "a function of torch", "a deflated archive", "a quantized tensor"])
def test_nothing_of_torch_unpickles(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data, reason = HOSTILE[name]
    with pytest.raises(CheckpointError, match=reason):
        read_weights(write(tmp_path / "model", data))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_name_stays_on_one_line(tmp_path: Path) -> None:
    torch.save({"a\nb\x1b[31m" + "x" * 5000: torch.zeros(4).to_sparse()}, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match="is not a plain tensor") as caught:
        read_weights(tmp_path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
