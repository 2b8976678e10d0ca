"""The folder of a reader: the bundles and files that the pages take for granted."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

from helpers.code_blocks.page import ROOT
from helpers.openvino_bundle import add_openvino
from helpers.support import SHARED
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

BUNDLES = ("electra-large-int8", "my-bundle", "ours", "theirs")
"""Names that pages give to a reader's bundle; each is the default one here. `ours-int8` has a model for OpenVINO too."""
_NO_PIP = "(pip changes this environment: a block that calls it is marked as not run)"
"""The Python that every pip is told to work for; its message repeats this."""
_TEXTS = ("A warm, funny film.", "It drags.", "The cast is wonderful.", "A waste of two hours.")
_LABELS = ("positive", "negative", "positive", "negative")


def furnish(folder: Path, page: str) -> None:
    """Put the bundles that a page names, and files, into an empty folder."""
    for name in filter(page.__contains__, BUNDLES):
        (folder / name).symlink_to(DEFAULT_BUNDLE, target_is_directory=True)
    lines = (ROOT / "tests/sample_lines.txt").read_text("utf-8")
    for name in ("lines.txt", "reviews.txt", "app.log"):
        (folder / name).write_text(lines, "utf-8")
    reviews = [{"id": number, "text": text} for number, text in enumerate(_TEXTS)]
    for name in ("reviews.csv", "a.csv"):
        _write_table(folder / name, reviews, ",")
    for name in ("b.jsonl", "log.jsonl"):
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in reviews), "utf-8")
    labelled = [{"sentence": text, "label": label} for text, label in zip(_TEXTS, _LABELS, strict=True)]
    _write_table(folder / "test.tsv", labelled, "\t")
    stored = [
        {"label": label, "prediction": "positive", "text": "Fine.", "negative": 0.25, "positive": 0.75} for label in _LABELS
    ]
    _write_table(folder / "stored.csv", stored, ",")
    if "ours-int8" in page and importlib.util.find_spec("openvino"):
        add_openvino(Path(shutil.copytree(DEFAULT_BUNDLE, folder / "ours-int8")))
    if "parquet" in page and importlib.util.find_spec("pyarrow"):
        _write_parquet(folder / "reviews.parquet", reviews)
    if (SHARED / "data/sst2").exists():
        (folder / "sst2").symlink_to(SHARED / "data/sst2", target_is_directory=True)


def variables(home: Path) -> dict[str, str]:
    """Return the environment of what a reader runs: this Python first, a home of its own, no way to install."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    place = {"PATH": path, "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
    return os.environ | place | {"PIP_PYTHON": _NO_PIP, "npm_config_offline": "true", "HF_HUB_OFFLINE": "1"}


def _write_table(path: Path, rows: list[dict[str, object]] | list[dict[str, str]], delimiter: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(path: Path, rows: list[dict[str, object]]) -> None:
    import pyarrow as pa  # noqa: PLC0415 an extra
    import pyarrow.parquet as pq  # noqa: PLC0415

    pq.write_table(pa.Table.from_pylist(rows), path)
