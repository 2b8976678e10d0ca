"""From a model's name to its bundle: the steps, in order."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_edge_export.checkpoint import Checkpoint, find_checkpoint
from sentiment_edge_export.errors import ParityError
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.model_card import model_card
from sentiment_edge_export.parity import Measurement, ParityReport, Reference, measure, run_reference
from sentiment_edge_export.quantization import quantize
from sentiment_edge_export.tracing import count_nodes, trace
from sentiment_edge_export.writing import bundle_folder, check_output, check_writable, seal, write_json
from sentiment_edge_runtimes.bundle import FORMAT_VERSION, GOLDEN, PARITY, TOKENIZER, Bundle, Padding, Precision

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    import onnx

    from sentiment_edge_export.torch_classifier import TorchClassifier

_MODEL_FILES: dict[Precision, str] = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx"}
_BUILT_WITH = ("sentiment-edge", "torch", "onnx", "onnxscript", "onnxruntime", "tokenizers", "numpy")
_GOLDEN_CHARACTERS = 200
_GOLDEN_EVERY = 4
"""Golden outputs are of every fourth short parity text: enough kinds, and `verify` stays quick with a large model."""


class ExportReport(NamedTuple):
    """What an export made."""

    bundle: Bundle
    parity: ParityReport


def export_model(  # noqa: PLR0913 - the front door: every option has a default and is passed by name
    model: str,
    *,
    precision: Precision = "fp32",
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    padding: Padding = "packed",
    offline: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> ExportReport:
    """Turn a trained checkpoint into a bundle and prove that it gives torch's answers.

    Args:
        model: a known name, a folder, or a Hub id (owner/name).
        precision: `fp32`, or `int8` for weights and products in 8 bits.
        output: the bundle's folder; None for ./NAME-PRECISION.
        overwrite: replace a bundle that is there.
        checkpoint: a folder to take the files of `model` from.
        padding: of the GRU, whether padding is invisible (`packed`) or read as in training (`padded`).
        offline: use only what is on this machine.
        progress: called with a few words as each stage begins.

    Raises:
        CheckpointError: the checkpoint's files are missing, damaged or contradict each other.
        UnknownModel, HubError: the checkpoint cannot be had.
        OutputError: the bundle cannot be written there.
        ParityError: the bundle does not give torch's answers; nothing is written.
    """
    progress("reading the checkpoint")
    found = find_checkpoint(model, folder=None if checkpoint is None else Path(checkpoint), offline=offline)
    target = Path(f"{found.name}-{precision}" if output is None else output)
    check_output(target, overwrite=overwrite)
    check_writable(target)
    classifier = load_classifier(found, padding)
    graph = _make_graph(classifier, precision, progress)
    progress("asking torch")
    reference = run_reference(classifier, found.tokenizer)
    manifest = _manifest(found, classifier, precision, graph)
    with bundle_folder(target, overwrite=overwrite) as folder:
        progress("writing")
        _write_model(folder, _MODEL_FILES[precision], graph)
        _write_tokenizer(folder, found, classifier)
        seal(folder, manifest)
        progress("measuring parity")
        report = _prove(folder, target.name, manifest, reference)
    return ExportReport(Bundle.open(target), report)


def _make_graph(classifier: TorchClassifier, precision: Precision, progress: Callable[[str], None]) -> onnx.ModelProto:
    progress("tracing")
    graph = trace(classifier)
    if precision == "fp32":
        return graph
    progress("quantizing")
    return quantize(graph)


def _prove(folder: Path, name: str, manifest: dict[str, Any], reference: Reference) -> ParityReport:
    """Measure the bundle in the folder, refuse it or complete it with the evidence."""
    measurement = measure(Bundle.open(folder), reference)
    report = measurement.report
    if not report.passed:
        raise ParityError(report)
    _write_evidence(folder, measurement, reference)
    (folder / "README.md").write_text(model_card(name, manifest, report), encoding="utf-8", newline="\n")
    seal(folder, {**manifest, "parity": report.summary()})
    return report


def _manifest(
    checkpoint: Checkpoint, classifier: TorchClassifier, precision: Precision, graph: onnx.ModelProto
) -> dict[str, Any]:
    counted = count_nodes(graph)
    recipe = {"weights": "int8, symmetric, per output channel", "activations": "uint8, symmetric, per token"}
    return {
        "format_version": FORMAT_VERSION,
        "family": classifier.family,
        "precision": precision,
        "quantization": recipe if precision == "int8" else None,
        "labels": list(classifier.labels),
        "max_length": classifier.max_length,
        "lengths": list(classifier.lengths),
        "pad_id": classifier.pad_id,
        "padding": classifier.padding,
        "engines": {"onnxruntime": _MODEL_FILES[precision]},
        "nodes": {kind: counted[kind] for kind in classifier.promised_nodes},
        "source": {"id": checkpoint.source, "revision": checkpoint.revision, "licence": checkpoint.licence},
        "built_with": {name: version(name) for name in _BUILT_WITH},
        "parity": {},
    }


def _write_model(folder: Path, name: str, graph: onnx.ModelProto) -> None:
    path = folder / name
    path.parent.mkdir()
    path.write_bytes(graph.SerializeToString(deterministic=True))


def _write_tokenizer(folder: Path, checkpoint: Checkpoint, classifier: TorchClassifier) -> None:
    """Write the tokenizer and config files by the names that other tools look for."""
    (folder / TOKENIZER).write_text(checkpoint.tokenizer.to_str(), encoding="utf-8", newline="\n")
    id2label = dict(enumerate(classifier.labels))
    label2id = {label: index for index, label in id2label.items()}
    model_type = checkpoint.config.get("model_type", classifier.family)
    write_json(folder / "config.json", {"model_type": model_type, "id2label": id2label, "label2id": label2id})
    fallback = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": classifier.max_length}
    stated = checkpoint.read_json("tokenizer_config.json") or fallback
    special = {name: token for name, token in stated.items() if name.endswith("_token") and token}
    write_json(folder / "tokenizer_config.json", stated)
    write_json(folder / "special_tokens_map.json", checkpoint.read_json("special_tokens_map.json") or special)


def _write_evidence(folder: Path, measurement: Measurement, reference: Reference) -> None:
    """Write the parity report, and golden outputs for `verify`."""
    write_json(folder / PARITY, measurement.report.whole())
    short = [
        pair for pair in zip(reference.texts, measurement.logits.tolist(), strict=True) if len(pair[0]) <= _GOLDEN_CHARACTERS
    ]
    rows = [{"text": text, "logits": logits} for text, logits in short[::_GOLDEN_EVERY]]
    golden = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / GOLDEN).write_text(golden, encoding="utf-8", newline="\n")
