"""Everything public, by name and signature, is what the files in `data/public_surface` hold."""

from __future__ import annotations

import pytest

from tools.public_surface.surface import FILES, FOLDER, changes

MEANT = "the public surface changed: run `python -m tools.public_surface --write` if that is meant, and say so in CHANGELOG"


@pytest.mark.parametrize("name", FILES)
def test_the_public_surface_is_as_stored(name: str) -> None:
    if name.endswith("_export.txt"):
        pytest.importorskip("torch", reason="needs the extra export")
    if name == "json_export.txt":
        pytest.importorskip("openvino", reason="needs the extra openvino")
    difference = changes(name)
    assert not difference, f"{MEANT}\n{difference}"


def test_each_stored_file_is_compared() -> None:
    assert {path.name for path in FOLDER.iterdir()} == FILES.keys()
