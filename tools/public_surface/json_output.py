"""The keys of what commands print as JSON, each with the types of its values."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from sentiment_edge_export.checkpoints.catalog import KNOWN_MODELS
from sentiment_edge_runtimes.classifier import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Types = defaultdict[str, set[str]]

LIGHT = (
    "models --json",
    "predict --format jsonl",
    "explain 'I loved it.' --method occlusion --json",
    "evaluate --data ROWS --json",
    "evaluate --predictions ROWS --json",
    "verify DEFAULT --json",
    "doctor --json",
    "bench --threads 1 --seconds 0.1 --json",
)
"""Commands that a light install runs. The words in capitals are replaced by paths."""
WITH_EXPORT = (
    # Bounds that int8 misses, so that weights stay in fp32; labels the wrong way round, so that predictions differ.
    "export --model gru-mini --int8 --max-mean-drift 0.0003 --max-fp32-share 1 --labels positive,negative --output int8 --json",
    "export --model gru-mini --engine onnxruntime --engine openvino --output both --json",
    "models --inspect WEIGHTS --json",
    "evaluate --data ROWS --compare int8 --json",
    "doctor both --json",  # which times engines where there are two
    "bench both --engine onnxruntime --threads 1 --seconds 0.1 --against torch --json",
)
"""Commands that need torch and OpenVINO, in an order in which each finds what it reads."""
_CLOCK = {
    "clock.celsius": "null or number",
    "clock.governor": "null or string",
    "clock.held_back": "list or null",
    "clock.held_back[]": "string",
    "clock.megahertz": "null or number",
}
VARYING = {
    "doctor": {
        **_CLOCK,
        "cpu.name": "null or string",
        "cpu.features[]": "string",
        "memory.total": "null or number",
        "memory.limit": "null or number",
        "memory.available": "null or number",
        "engines.*.version": "null or string",
        "engines.*.install": "null or string",
        "cache.folder": "null or string",
        "bundle.refused[]": "string",
    },
    "export": {"notes[]": "string"},
    "bench": {
        **_CLOCK,
        "cpu": "null or string",
        "features[]": "string",
        "load": "null or number",
        "memory.total": "null or number",
        "memory.limit": "null or number",
        "memory.available": "null or number",
        "results[].cold_start.peak_memory": "null or number",
    },
}
"""Types that depend on the machine, of which any one machine shows only some."""
BY_DATA = {"engines", "files", "nodes", "scores", "seconds"}
"""Objects whose keys are data, such as labels."""

_LINES = b"I loved it.\n\n" + b"good " * 1000
_ROWS = "text,label,prediction\nI loved it.,positive,positive\nDreadful.,negative,positive\n"


def describe(commands: Iterable[str], folder: Path) -> Iterator[str]:
    """Run commands in an empty folder and yield a line for each key."""
    (folder / "ROWS").write_text(_ROWS, "utf-8")
    for command in commands:
        yield from ("", f"sentiment-edge {command}")
        types: Types = defaultdict(set)
        for value in _run(command, folder):
            _collect(value, "", types)
        lines = {path: " or ".join(sorted(kinds)) for path, kinds in types.items()}
        for path, known in VARYING.get(command.split()[0], {}).items():
            if set(lines.get(path, known).split(" or ")) <= set(known.split(" or ")):
                lines[path] = known
        yield from (f"    {path}: {kinds}" for path, kinds in sorted(lines.items()))


def _run(command: str, folder: Path) -> list[object]:
    paths = {"DEFAULT": DEFAULT_BUNDLE, "WEIGHTS": KNOWN_MODELS["gru-mini"].packaged_folder / "model.safetensors"}
    arguments = [str(paths.get(word, word)) for word in shlex.split(command)]
    inherited = {name: value for name, value in os.environ.items() if name != "SENTIMENT_EDGE_ENGINE"}
    program = [sys.executable, "-m", "sentiment_edge", *arguments]
    variables = {**inherited, "SENTIMENT_EDGE_CACHE": str(folder / "cache")}
    done = subprocess.run(program, cwd=folder, env=variables, input=_LINES, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"sentiment-edge {command}: status {done.returncode}\n{done.stderr.decode()}")
    return [json.loads(line) for line in done.stdout.splitlines()] if "jsonl" in command else [json.loads(done.stdout)]


def _collect(value: object, path: str, types: Types) -> None:
    """Add the type of a value, and of what it holds, each by its path."""
    types[path or "(all)"].add(_type(value))
    if isinstance(value, dict):
        by_data = path.rpartition(".")[2] in BY_DATA
        for key, inner in value.items():
            _collect(inner, f"{path}.{'*' if by_data else key}".removeprefix("."), types)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, f"{path}[]", types)


def _type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {dict: "object", list: "list", str: "string", int: "number", float: "number", type(None): "null"}
    return names[type(value)]
