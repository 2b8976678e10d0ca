"""The reader of Burn's records: every format, real files, and files that are damaged in every way."""

from __future__ import annotations

import gzip
import subprocess
import sys
from typing import TYPE_CHECKING

import cbor2
import msgpack
import numpy as np
import pytest
from helpers import burn_writer
from helpers.burn_writer import FORMATS, Tensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sentiment_edge_export.checkpoints.burn_records import read_record
from sentiment_edge_export.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOME: Tensors = {
    "layers.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "layers.0.bias": np.array([0.5, -1], np.float32),
    "layers.1.weight": np.zeros((0, 3), np.float32),
    "norm.gamma": np.array(2, np.float32).reshape(1),
}
_HYPOTHESIS = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", FORMATS)
class TestEveryFormat:
    @given(data=st.data())
    @_HYPOTHESIS
    def test_what_was_written_is_read(self, tmp_path: Path, name: str, data: st.DataObject) -> None:
        dtype = data.draw(st.sampled_from([np.float16, np.float32, np.float64]))
        # JSON and lists of numbers have no infinities.
        plain = arrays.from_dtype(np.dtype(dtype), allow_nan=False, allow_infinity=False)
        shapes = arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)
        tensors = {
            tensor: data.draw(arrays.arrays(dtype, shapes, elements=plain)) for tensor in ("a.weight", "a.bias", "layers.0.w")
        }
        path = tmp_path / name
        path.write_bytes(FORMATS[name](tensors))
        record = read_record(path)
        assert record.tensors.keys() == tensors.keys()
        for tensor, values in tensors.items():
            np.testing.assert_array_equal(record.tensors[tensor], values)

    @given(data=st.data())
    @_HYPOTHESIS
    def test_damage_ends_in_one_error(self, tmp_path: Path, name: str, data: st.DataObject) -> None:
        whole = bytearray(FORMATS[name](SOME))
        for _ in range(data.draw(st.integers(0, 3))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        path = tmp_path / name
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
        try:
            read_record(path)
        except CheckpointError as error:
            message = str(error)
        else:
            message = f"{path}: fine"
        assert message.startswith(f"{path}: ")
        assert "\n" not in message

    def test_a_file_cut_off(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        path.write_bytes(FORMATS[name](SOME)[:-3])
        with pytest.raises(CheckpointError, match=name):
            read_record(path)


@pytest.mark.parametrize(
    ("name", "version", "form", "count"),
    [
        ("data/burn-records/connect4.model.mpk", "0.16.1", "messagepack", 6),
        ("data/burn-records/glyphtool.model.mpk", "0.16.0", "messagepack", 9),
        ("data/burn-records/burn-mnist-web.model.bpk", "0.20", "burnpack", 18),
        ("checkpoints/sam-tweets/model.mpk", "0.16.0", "messagepack", 68),
    ],
)
def test_real_records_to_the_last_byte(shared: Callable[[str], Path], name: str, version: str, form: str, count: int) -> None:
    path = shared(name)
    record = read_record(path)
    assert (record.version, record.format, len(record.tensors)) == (version, form, count)
    assert all(np.isfinite(tensor).all() for tensor in record.tensors.values())
    described = path.stat().st_size - sum(tensor.nbytes for tensor in record.tensors.values())
    assert 0 < described < 200 * count + 1000 + 256 * count  # names, types, padding


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"bytes": b"\x80\x3f\x00\xc0", "shape": [2], "dtype": "BF16"}, [1, -2]),
        ({"bytes": b"\x00\x00\x80\x3f", "shape": [1], "dtype": "Flex32"}, [1]),
        ({"bytes": b"\x01\x00", "shape": [2], "dtype": {"Bool": "Native"}}, [1, 0]),
        ({"bytes": b"\xff\xff\xff\xff", "shape": [1], "dtype": "I32"}, [-1]),
        ({"value": [1, -2, 3], "shape": [3]}, [1, -2, 3]),
    ],
)
def test_types_of_tensors(tmp_path: Path, stored: dict[str, object], expected: list[float]) -> None:
    path = tmp_path / "model.mpk"
    path.write_bytes(msgpack.packb({"metadata": {"version": "0.18.0"}, "item": {"a": {"id": "0", "param": stored}}}))
    assert read_record(path).tensors["a"].tolist() == expected


def test_half_precision_of_the_brain(tmp_path: Path) -> None:
    path = tmp_path / "model.mpk"
    metadata = {"version": "0.13.0", "float": "half::bfloat::bf16"}
    item = {"a": {"id": "0", "param": {"value": [0x3F80, 0xC000], "shape": [2]}}}
    path.write_bytes(msgpack.packb({"metadata": metadata, "item": item}))
    assert read_record(path).tensors["a"].tolist() == [1, -2]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "not a record of Burn"),
        (b"# a text", "not a record of Burn"),
        (b"PK\x03\x04", "a file of torch"),
        (b"\x03f32\x03i32\x5bburn_core::record::file::BinFileRecorder<...>", "NamedMpkFileRecorder"),
        (b"{}", "no metadata and item"),
        (b"[" * 100_000, "not a record"),
        (b'{"metadata": {}, "item": ' + b"[" * 100_000, "damaged"),
        (msgpack.packb({"metadata": {}, "item": {"a": {"id": "", "param": 3}}}), "a is no tensor"),
        (msgpack.packb({"metadata": {}, "item": {"a.b": {"id": "", "param": {}}}}), "a.b is no tensor"),
        (burn_writer.messagepack(SOME) + b"\0", "damaged"),
        (b"NRUB\x02\x00\x00\x00\x00\x00", "version 2"),
        (b"NRUB\x01\x00\xff\xff\xff\xff", "cut off in its description"),
        (burn_writer.burnpack(SOME) + b"\0", "cut off or damaged"),
        (b"\x1f\x8b\x08 nothing that inflates", "damaged"),
        (gzip.compress(b"\0" * 2**22), "inflates to more than"),
    ],
)
def test_what_is_no_record(tmp_path: Path, contents: bytes, message: str) -> None:
    path = tmp_path / "model"
    path.write_bytes(contents)
    with pytest.raises(CheckpointError, match=message):
        read_record(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "F8"}, "unknown type, 'F8'"),
        ({"dtype": {"QFloat": {}}}, "quantized by Burn"),
        ({"shape": [2, 2**62]}, "has 8 bytes"),
        ({"shape": [-1, -2]}, "no valid shape"),
        ({"shape": None}, "no valid shape"),
        ({"shape": [1] * 60_000}, "no valid shape"),
        ({"shape": [2**63, 0]}, "no valid shape"),
        ({"shape": [True, 2]}, "no valid shape"),
        ({"bytes": [300]}, "no byte"),
    ],
)
def test_tensors_that_contradict_themselves(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    stored = {"bytes": bytes(8), "shape": [2], "dtype": "F32", **changes}
    path = tmp_path / "model.mpk"
    path.write_bytes(msgpack.packb({"metadata": {}, "item": {"a": {"id": "", "param": stored}}}))
    with pytest.raises(CheckpointError, match=message):
        read_record(path)


def test_a_name_that_would_fill_the_terminal(tmp_path: Path) -> None:
    for name in ("a\n\x1b[31mb", "a" * 100_000):
        path = tmp_path / "model.mpk"
        path.write_bytes(msgpack.packb({"metadata": {}, "item": {name: {"id": "", "param": None}}}))
        with pytest.raises(CheckpointError, match="is no tensor") as caught:
            read_record(path)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < len(str(path)) + 100


def test_two_tensors_of_one_name(tmp_path: Path) -> None:
    parameter = {"id": "", "param": {"bytes": b"", "shape": [0], "dtype": "F32"}}
    path = tmp_path / "model.mpk"
    path.write_bytes(msgpack.packb({"metadata": {}, "item": {"a.b": parameter, "a": {"b": parameter}}}))
    with pytest.raises(CheckpointError, match=r"two tensors are called a\.b"):
        read_record(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(CheckpointError, match=str(path)):
            read_record(path)


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
@pytest.mark.parametrize(
    "contents",
    [
        b"\x82\xa8metadata\x80\xa4item" + b"\xdd\x7f\xff\xff\xff" * 400,  # lists of two thousand million, in each other
        b"\x82\xa8metadata\x80\xa4item\xc6\xff\xff\xff\xff",  # four thousand million bytes
        b"NRUB\x01\x00\x09\x00\x00\x00" + b"\x9b\x00\xff\xff\xff\xff\xff\xff\xff",
        b"NRUB\x01\x00\x09\x00\x00\x00" + b"\x5b\x00\xff\xff\xff\xff\xff\xff\xff",
        (2**40).to_bytes(8, "little") + b'{"a": 1}',
    ],
)
def test_sizes_are_believed_only_as_far_as_the_file_goes(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "model"
    path.write_bytes(contents)
    code = (
        "import sys, resource; from pathlib import Path\n"
        "from sentiment_edge_export.checkpoints.burn_records import read_record\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))\n"
        "try: read_record(Path(sys.argv[1]))\n"
        "except Exception as error: print(type(error).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False, timeout=600)
    assert done.stdout == "CheckpointError\n", done.stderr


def test_a_description_with_cycles(tmp_path: Path) -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    described = cbor2.dumps({"tensors": {"a": {"dtype": "F32", "shape": cycle, "data_offsets": [0, 0]}}}, value_sharing=True)
    path = tmp_path / "model.bpk"
    path.write_bytes(b"NRUB\x01\x00" + len(described).to_bytes(4, "little") + described)
    with pytest.raises(CheckpointError, match="no valid shape"):
        read_record(path)
