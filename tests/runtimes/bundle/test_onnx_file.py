"""Locations of external data, in graphs that hide them wherever ONNX allows a tensor."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from helpers.onnx_writer import classifier, entry, field, model, put_classifier, tensor, varint, weights
from helpers.support import put_file
from hypothesis import example, given
from hypothesis import strategies as st

from sentiment_edge import BundleInvalid, EngineError, load
from sentiment_edge_runtimes.bundle import onnx_file
from sentiment_edge_runtimes.bundle.onnx_file import external_locations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTSIDE = tensor("t", (1,), location="x.data")
DATA = "model.onnx_data"
PLACES = {
    "initializer": model(field(5, OUTSIDE)),
    "sparse values": model(field(15, field(1, OUTSIDE))),
    "sparse indices": model(field(15, field(2, OUTSIDE))),
    "attribute": model(field(1, field(5, field(5, OUTSIDE)))),
    "list of an attribute": model(field(1, field(5, field(10, OUTSIDE)))),
    "sparse attribute": model(field(1, field(5, field(22, field(1, OUTSIDE))))),
    "list of sparse attributes": model(field(1, field(5, field(23, field(1, OUTSIDE))))),
    "graph in a graph": model(field(1, field(5, field(6, field(1, field(5, field(6, field(5, OUTSIDE)))))))),
    "list of graphs": model(field(1, field(5, field(11, field(5, OUTSIDE))))),
    "function": field(25, field(7, field(5, field(5, OUTSIDE)))),
    "default of a function": field(25, field(11, field(5, OUTSIDE))),
    "training": field(20, field(1, field(5, OUTSIDE))),
    "second graph": model(field(2, "g")) + model(field(5, OUTSIDE)),
    "value before key": model(field(5, field(13, field(2, "x.data") + field(1, "location")))),
    "key given twice": model(field(5, field(13, field(1, "offset") + entry("location", "x.data")))),
    "after another entry": model(field(5, field(13, entry("offset", "0")) + field(13, entry("location", "x.data")))),
    "long tags": model(field(5, varint(13 << 3 | 2 | 1 << 32) + field(13, entry("location", "x.data"))[1:])),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_location_is_found(place: str) -> None:
    assert external_locations(BytesIO(PLACES[place])) == {"x.data"}


def test_a_model_in_one_file_has_none() -> None:
    assert external_locations(BytesIO(classifier())) == set()
    assert external_locations(BytesIO(model(field(2, "location")))) == set()


def test_the_word_is_found_across_two_readings() -> None:
    filling = field(6, b"\0" * (2**20 - 40))
    for more in range(40):
        assert external_locations(BytesIO(field(6, b"\0" * more) + filling + PLACES["initializer"])) == {"x.data"}


@given(st.binary(max_size=60), st.integers(0), st.binary(max_size=4))
@example(b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01location", 0, b"")
def test_any_bytes_are_read_or_refused(contents: bytes, position: int, inserted: bytes) -> None:
    whole = PLACES["graph in a graph"]
    position %= len(whole)
    for each in (contents + b"location", whole[:position] + inserted + whole[position:], whole[:position]):
        with suppress(ValueError):
            external_locations(BytesIO(each))


def test_a_file_of_too_many_fields_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    many = model(field(1, "") * 50 + field(5, OUTSIDE))
    monkeypatch.setattr(onnx_file, "_MOST_FIELDS", 60)
    assert external_locations(BytesIO(many)) == {"x.data"}
    monkeypatch.setattr(onnx_file, "_MOST_FIELDS", 40)
    with pytest.raises(ValueError, match="too many fields"):
        external_locations(BytesIO(many))


@pytest.mark.parametrize("place", [place for place in PLACES if place != "long tags"])
def test_onnx_has_a_tensor_there_too(place: str) -> None:
    onnx = pytest.importorskip("onnx")

    def locations(message: Any) -> Iterator[str]:
        if message.DESCRIPTOR.name == "TensorProto":
            yield from (each.value for each in message.external_data if each.key == "location")
        for each, value in message.ListFields():
            if each.message_type:
                for inner in [value] if hasattr(value, "ListFields") else value:
                    yield from locations(inner)

    assert [*locations(onnx.load_from_string(PLACES[place]))] == ["x.data"]


@pytest.fixture
def external(bundle_folder: Path) -> Path:
    """A bundle whose weights lie beside its model."""
    put_file(bundle_folder, f"onnx/{DATA}", weights())
    return put_classifier(bundle_folder, location=DATA)


def test_listed_external_data_is_used(external: Path) -> None:
    assert load(external)("good").label == "negative"
    (external / "onnx" / DATA).write_bytes(weights()[::-1])
    with pytest.raises(ValueError, match=f"{DATA} has changed"):
        load(external)


@pytest.mark.parametrize(
    "location", ["other.data", f"../onnx/{DATA}", "/etc/passwd", "", f"{DATA}\0", "../parity.json", "sub/x"]
)
def test_external_data_that_is_not_listed_is_refused(external: Path, location: str) -> None:
    (external / "onnx" / "other.data").write_bytes(weights())
    put_classifier(external, location=location)
    with pytest.raises(BundleInvalid, match=r"refers to .* which is not in the manifest's files"):
        load(external)


def test_a_location_may_be_spelled_in_another_way(external: Path) -> None:
    assert load(put_classifier(external, location=f"./{DATA}"))("good").label == "negative"


def test_an_onnx_file_that_is_cut_short_is_refused(external: Path) -> None:
    put_file(external, "onnx/model.onnx", classifier(location=DATA)[:-9])
    with pytest.raises((BundleInvalid, EngineError)):
        load(external)("good")
