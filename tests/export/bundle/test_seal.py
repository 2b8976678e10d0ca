"""Which files of a bundle are vouched for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sentiment_edge import load
from sentiment_edge_export.bundle.output import check_output, seal
from sentiment_edge_export.errors import OutputError
from sentiment_edge_runtimes.bundle import Bundle

if TYPE_CHECKING:
    from pathlib import Path


def test_the_model_card_is_neither_listed_nor_hashed(bundle_folder: Path) -> None:
    before = Bundle.open(bundle_folder)
    seal(bundle_folder, before.manifest)
    stored = json.loads((bundle_folder / "manifest.json").read_text("utf-8"))
    assert stored["files"] == {**before.manifest.files}
    assert "README.md" not in stored["files"]
    assert "README.md" not in (bundle_folder / "SHA256SUMS").read_text("utf-8")
    (bundle_folder / "README.md").write_bytes(b"# Edited\r\n")
    assert load(bundle_folder)("good").label == "positive"


def test_a_bundle_with_a_card_may_be_replaced_and_one_with_more_may_not(bundle_folder: Path) -> None:
    seal(bundle_folder, Bundle.open(bundle_folder).manifest)
    check_output(bundle_folder, overwrite=True)
    (bundle_folder / "notes.md").touch()
    with pytest.raises(OutputError, match="holds more than a bundle"):
        check_output(bundle_folder, overwrite=True)


def test_a_card_deeper_in_the_folder_is_listed(bundle_folder: Path) -> None:
    (bundle_folder / "docs").mkdir()
    (bundle_folder / "docs" / "README.md").write_bytes(b"text")
    seal(bundle_folder, Bundle.open(bundle_folder).manifest)
    assert Bundle.open(bundle_folder).manifest.files["docs/README.md"] == 4
