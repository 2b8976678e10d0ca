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
        result = _prove(written, bundle)
        if result["ids_wrong"]:
            sys.exit(f"{bundle}: not written, for {result['ids_wrong']} of {result['rows']} texts get other tokens")
        for suffix in (".bin", ".xml"):
            written.with_suffix(suffix).replace(folder / f"{NAME}{suffix}")
    print(json.dumps(result))


def _prove(place: Path, bundle: Path) -> dict[str, float]:
    """Give the tokenizer each golden text, and count those whose tokens are others."""
    tokenizer = openvino.Core().compile_model(place, "CPU")
    golden = [json.loads(line) for line in (bundle / "golden.jsonl").read_text("utf-8").split("\n")[:-1]]
    start = time.perf_counter()
    wrong = sum(tokenizer([row["text"]])["input_ids"][0].tolist() != row["ids"] for row in golden)
    seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": len(golden), "ids_wrong": wrong, "seconds": seconds, "peak_mb": peak}


if __name__ == "__main__":
    main()
