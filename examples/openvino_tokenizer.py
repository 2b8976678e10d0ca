"""A bundle's tokenizer as a model of OpenVINO, for programs in C++: python openvino_tokenizer.py BUNDLE FOLDER.

Written only if it gives the golden tokens, id for id. Needs sentiment-edge[openvino], transformers and openvino-tokenizers.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerFast

from sentiment_edge_runtimes.engines.telemetry import unreported

with unreported():  # as OpenVINO's import itself reports to its maker
    import openvino
    import openvino_tokenizers

NAME, NEWEST = "openvino_tokenizer", 2


def main() -> None:
    """Write the tokenizer, or one line on why not."""
    if len(sys.argv) != 3:
        sys.exit("usage: python openvino_tokenizer.py BUNDLE FOLDER")
    bundle, folder = map(Path, sys.argv[1:])
    try:
        manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
        if manifest["format_version"] > NEWEST:
            sys.exit(f"{bundle}: its format is newer than {NEWEST}, the latest that this program knows")
        _write(bundle, manifest, folder)
    except Exception as error:  # noqa: BLE001 - the libraries raise bare Exception
        sys.exit(f"{bundle}: {type(error).__name__}: {error}".split("\n")[0])


def _write(bundle: Path, manifest: dict[str, Any], folder: Path) -> None:
    file, longest = str(bundle / "tokenizer.json"), manifest["max_length"]
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=file, model_max_length=longest)  # type: ignore[no-untyped-call]
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(manifest["pad_id"])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch, unreported():
        written = Path(scratch) / f"{NAME}.xml"
        openvino.save_model(openvino_tokenizers.convert_tokenizer(tokenizer, truncation=True), written)
        result = _prove(written, bundle, manifest)
        if result["ids_wrong"]:
            sys.exit(f"{bundle}: not written, for {result['ids_wrong']} of {result['rows']} texts get other tokens")
        for suffix in (".bin", ".xml"):
            written.with_suffix(suffix).replace(folder / f"{NAME}{suffix}")
    print(json.dumps(result))


def _prove(place: Path, bundle: Path, manifest: dict[str, Any]) -> dict[str, float]:
    """Run the tokenizer, then the model if the bundle has one for OpenVINO, on each golden text, and count what is wrong."""
    core = openvino.Core()
    tokenizer = core.compile_model(place, "CPU")
    model, key = None, "logits" if next(iter(manifest["engines"])) == "openvino" else "logits_openvino"
    if "openvino" in manifest["engines"]:
        model = core.compile_model(bundle / manifest["engines"]["openvino"], "CPU", manifest["models"]["openvino"]["settings"])
    result, start = dict.fromkeys(("rows", "ids_wrong", "labels_wrong", "largest_difference"), 0.0), time.perf_counter()
    for row in map(json.loads, (bundle / "golden.jsonl").read_text("utf-8").split("\n")[:-1]):
        result["rows"] += 1
        tokens = tokenizer([row["text"]])
        result["ids_wrong"] += tokens["input_ids"][0].tolist() != row["ids"]
        if model is not None:
            logits = model({each.any_name: tokens[each.any_name] for each in model.inputs})["logits"][0]
            result["labels_wrong"] += int(logits.argmax() != np.argmax(row[key]))
            result["largest_difference"] = max(result["largest_difference"], float(np.abs(logits - row[key]).max()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**result, "seconds": time.perf_counter() - start, "peak_mb": peak}


if __name__ == "__main__":
    main()
