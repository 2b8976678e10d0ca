"""Proofs that a port gives a bundle's answers, and refuses what it should."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tools.ports.bundles import Tried
    from tools.ports.port import Command, Port

COLUMNS = ("port", "bundle", "rows", "ids wrong", "labels wrong", "largest difference", "ms a text", "peak MB")
_FAR = 1e-5
"""How far a logit may be from the golden one: the same kernels computed it."""


class Row(NamedTuple):
    """A line of the table, with the worst of several runs."""

    port: str
    bundle: str
    rows: int
    ids_wrong: int
    labels_wrong: int
    largest_difference: float
    milliseconds: float
    peak_mb: float

    def __str__(self) -> str:
        numbers = f"{self.rows} | {self.ids_wrong} | {self.labels_wrong} | {self.largest_difference:.1e}"
        return f"| {self.port} | {self.bundle} | {numbers} | {self.milliseconds:.2f} | {self.peak_mb:.0f} |"


def takes(port: Port, bundle: Tried) -> bool:
    """Tell whether a port must be able to run a bundle; it must refuse any other."""
    return bundle.tokenizer in port.tokenizers and bundle.name not in port.refused


def prove(port: Port, bundle: Tried) -> Row:
    """Run a port on a bundle's golden outputs."""
    runs = [_result(command) for command in port.golden(bundle.path)]
    names = ("ids_wrong", "labels_wrong", "largest_difference", "peak_mb")
    worst = {name: max(run.get(name, 0) for run in runs) for name in names}  # a port of the tokenizer alone has no logits
    rows = (bundle.path / "golden.jsonl").read_bytes().count(b"\n")
    worst["ids_wrong"] += sum(run["rows"] != rows for run in runs)  # a text that was left out
    milliseconds = max(1000 * run["seconds"] / run["rows"] for run in runs)
    return Row(port.name, bundle.name, rows, **worst, milliseconds=milliseconds)


def problems(port: Port, row: Row) -> Iterator[str]:
    """Say what is wrong with a proof."""
    if row.ids_wrong or row.labels_wrong:
        yield f"{port.name}, {row.bundle}: {row.ids_wrong} texts with wrong ids, {row.labels_wrong} with wrong labels"
    if not row.largest_difference <= _FAR:
        yield f"{port.name}, {row.bundle}: a logit is {row.largest_difference:.1e} off, at most {_FAR} is allowed"
    if row.peak_mb > port.peaks.get(row.bundle, row.peak_mb):
        yield f"{port.name}, {row.bundle}: {row.peak_mb:.1f} MB, at most {port.peaks[row.bundle]} are allowed"


def refusals(port: Port, bundles: Sequence[Tried], folder: Path) -> Iterator[str]:
    """Say of what a port should refuse in one line, and does not: tokenizers that it does not know, versions, broken files."""
    for bundle in bundles:
        if not takes(port, bundle):
            yield from _refusal(port, bundle.path, f"the {bundle.tokenizer} tokenizer of {bundle.name}")
    whole = bundles[0].path
    manifest = json.loads((whole / "manifest.json").read_text("utf-8"))
    newer = _changed(whole, folder / "newer", "manifest.json", json.dumps({**manifest, "format_version": 99}))
    yield from _refusal(port, newer, "a newer format_version")
    model = manifest["engines"].get(port.engine)
    for name in ("manifest.json", "tokenizer.json", *([model] if model else [])):
        contents = (whole / name).read_bytes()
        broken = _changed(whole, folder / "broken", name, contents[: len(contents) // 2])
        yield from _refusal(port, broken, f"half of {name}")
    yield from _refusal(port, folder / "absent", "a folder that is not there")


def _changed(bundle: Path, copy: Path, name: str, contents: str | bytes) -> Path:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bundle, copy)
    (copy / name).write_bytes(contents.encode() if isinstance(contents, str) else contents)
    return copy


def _refusal(port: Port, bundle: Path, why: str) -> Iterator[str]:
    done = subprocess.run(port.golden(bundle)[0], capture_output=True, text=True, check=False)
    if done.returncode != 1 or done.stdout or len(done.stderr.splitlines()) != 1:
        found = f"{done.returncode} and {done.stdout + done.stderr!r}"
        yield f"{port.name}: {why} should end in status 1 and one line, not in {found}"


def _result(command: Command) -> dict[str, Any]:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result
