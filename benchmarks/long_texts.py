"""Time and memory of one long text: ModernBERT's published widths, random weights, both engines beside torch.

python benchmarks/long_texts.py [--layers 3] [--lengths 512 2048 8192] [--precisions fp32] [--folder FOLDER]

Each figure comes from a process of its own, which imports only what it runs: wall and CPU seconds of one text, and the peak of
the memory that it takes over what the loaded model takes. ModernBERT has 22 layers, two of three local. They run one after the
other, so seconds are in proportion to their number, and the memory of a text is nearly the same: three are measured unless more
are asked for. Everything, for long: `--layers 22 --lengths 512 1024 2048 4096 8192 --precisions fp32 int8`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from measuring import describe_machine

from sentiment_edge_runtimes.vocabulary import ENGINES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

    from sentiment_edge_runtimes.vocabulary import EngineName, Precision

WORDS = 1000
LONGEST = 8192
MEMORY = 12 * 2**30
"""Bound on one process, in bytes of address space."""


class Figure(NamedTuple):
    """What one text took."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    """Peak memory beyond that of the loaded model."""
    loaded: float
    """Megabytes of the loaded model's process before the text."""


def main() -> None:
    """Export, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--lengths", type=int, nargs="+", default=[512, 2048, LONGEST])
    parser.add_argument("--precisions", nargs="+", choices=["fp32", "int8"], default=["fp32"])
    parser.add_argument("--folder", type=Path, help="keep checkpoint and bundles here, and take them from here next time")
    arguments = parser.parse_args()
    print(describe_machine("torch", "onnxruntime", "openvino"), f"{arguments.layers} layers", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        checkpoint = folder / f"modernbert-{arguments.layers}"
        _alone(_write_checkpoint, checkpoint, arguments.layers)
        runners: dict[str, tuple[Any, ...]] = {
            "torch, eager": (_torch, checkpoint, "eager"),
            "torch, sdpa": (_torch, checkpoint, "sdpa"),
        }
        parts = folder / f"bundle-{arguments.layers}-parts"
        _alone(_export, checkpoint, parts, "fp32", ("onnxruntime",), False)  # noqa: FBT003 - as `GraphOptions` has it
        runners["onnxruntime, in parts"] = (_bundle, parts, "onnxruntime")
        for precision in arguments.precisions:
            bundle = folder / f"bundle-{arguments.layers}-{precision}"
            _alone(_export, checkpoint, bundle, precision, ENGINES, True)  # noqa: FBT003
            for engine in ENGINES:
                runners[f"{engine}, {precision}"] = (_bundle, bundle, engine)
        _print(runners, arguments.lengths)


def _print(runners: dict[str, tuple[Any, ...]], lengths: Sequence[int]) -> None:
    for length in lengths:
        print(f"\n{length} tokens")
        for name, (make, *inputs) in runners.items():
            figure: Figure | None = _alone(_measured, make, inputs, length)
            if figure is None:
                print(f"  {name:<22} more than {MEMORY >> 30} GiB, or failed", flush=True)
                continue
            times = f"{figure.seconds:>8.2f} s {figure.cpu_seconds:>8.2f} CPU s"
            print(f"  {name:<22} {times} {figure.megabytes:>8.0f} MB over {figure.loaded:.0f}", flush=True)


def _alone(work: Callable[..., Any], *inputs: object) -> Any:  # noqa: ANN401 - what the work returns
    """Run work in a process of its own; None if it is killed or fails."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(there, work, inputs))
    process.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        return None
    finally:
        process.join()


def _child(results: Connection, work: Callable[..., Any], inputs: Sequence[object]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    results.send(work(*inputs))


def _measured(make: Callable[..., Callable[..., object]], inputs: Sequence[object], length: int) -> Figure:
    run = make(*inputs)
    ids = np.random.default_rng(0).integers(4, WORDS, (1, length))
    mask = np.ones_like(ids)
    run(ids[:, :16], mask[:, :16])
    loaded = _peak()
    taken = []
    for _ in range(max(2, 4096 // length)):
        start, cpu_start = time.perf_counter(), time.process_time()
        run(ids, mask)
        taken.append((time.perf_counter() - start, time.process_time() - cpu_start))
    seconds, cpu_seconds = map(min, zip(*taken, strict=True))
    return Figure(seconds, cpu_seconds, _peak() - loaded, loaded)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _torch(checkpoint: Path, attention: str) -> Callable[..., object]:
    import torch  # noqa: PLC0415
    from transformers import AutoModelForSequenceClassification  # noqa: PLC0415

    torch.set_num_threads(os.cpu_count() or 1)
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, attn_implementation=attention).eval()

    def run(ids: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> object:
        with torch.no_grad():
            return model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits

    return run


def _bundle(folder: Path, engine: EngineName) -> Callable[..., object]:
    from sentiment_edge_runtimes.bundle import Bundle  # noqa: PLC0415
    from sentiment_edge_runtimes.engines.loader import open_engine  # noqa: PLC0415
    from sentiment_edge_runtimes.machine.threads import usable_cpus  # noqa: PLC0415

    return open_engine(Bundle.open(folder), engine, usable_cpus())


def _write_checkpoint(folder: Path, layers: int) -> None:
    if folder.exists():
        return
    import torch  # noqa: PLC0415
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers  # noqa: PLC0415
    from transformers import ModernBertConfig, ModernBertForSequenceClassification  # noqa: PLC0415

    from sentiment_edge_export.quantization.calibration import calibration_texts  # noqa: PLC0415

    torch.manual_seed(0)
    config = ModernBertConfig(num_hidden_layers=layers, id2label={0: "negative", 1: "positive"}, pad_token_id=0)
    ModernBertForSequenceClassification(config).save_pretrained(folder)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordPieceTrainer(vocab_size=WORDS, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(calibration_texts(), trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": LONGEST}), "utf-8")


def _export(checkpoint: Path, bundle: Path, precision: Precision, engines: Sequence[EngineName], fusion: bool) -> None:  # noqa: FBT001
    if bundle.exists():
        return
    from sentiment_edge.export import GateOptions, GraphOptions, export_model  # noqa: PLC0415

    export_model(
        str(checkpoint),
        precision=precision,
        engines=engines,
        output=bundle,
        graph=GraphOptions(fusion=fusion),
        gate=GateOptions(min_agreement=0.0, max_mean_drift=1.0, max_logit_difference=1e3),  # random weights: near ties
    )


if __name__ == "__main__":
    main()
