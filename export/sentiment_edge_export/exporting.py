"""From a model's name to its bundle: the steps, in order."""

from __future__ import annotations

import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_edge_export.calibration import Typical, calibration_texts, typical_values
from sentiment_edge_export.checkpoint import Checkpoint, find_checkpoint
from sentiment_edge_export.errors import ExportError, OutputError, ParityError
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.first_token import keep_first_token
from sentiment_edge_export.fusion import fuse
from sentiment_edge_export.graphs import count_nodes
from sentiment_edge_export.model_card import model_card
from sentiment_edge_export.options import NOTHING_OVERRIDDEN, BurnOptions, ExportOptions, fix_length
from sentiment_edge_export.parity import (
    FP32,
    INT8,
    INT8_PER_TENSOR,
    Bounds,
    Measurement,
    ParityReport,
    Reference,
    measure,
    run_reference,
)
from sentiment_edge_export.quantization import products, quantize
from sentiment_edge_export.tracing import trace
from sentiment_edge_export.writing import bundle_folder, check_output, check_writable, seal, write_json, write_model
from sentiment_edge_runtimes.batching import pad, padded_length
from sentiment_edge_runtimes.bundle import (
    FORMAT_VERSION,
    GOLDEN,
    PARITY,
    TOKENIZER,
    Bundle,
    Padding,
    Precision,
    Quantization,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import onnx_ir as ir

    from sentiment_edge_export.torch_classifier import TorchClassifier

_MODEL_FILES: dict[Precision, str] = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx"}
_RECIPE = {"weights": "int8, symmetric, per output channel", "activations": "uint8"}
_BOUNDS: dict[Quantization, Bounds] = {"per-token": INT8, "per-tensor": INT8_PER_TENSOR}
_BUILT_WITH = ("sentiment-edge", "torch", "transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers", "numpy")
_GOLDEN_CHARACTERS = 200
_GOLDEN_EVERY = 4
"""Golden outputs are of every fourth short parity text: enough kinds, and `verify` stays quick with a large model."""


class ExportReport(NamedTuple):
    """What an export made."""

    bundle: Bundle
    parity: ParityReport
    notes: tuple[str, ...] = ()
    """What the user should know about it, a sentence each."""


def export_model(  # noqa: PLR0913 - the front door: every option has a default and is passed by name
    model: str,
    *,
    precision: Precision = "fp32",
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    quantization: Quantization = "per-token",
    padding: Padding = "packed",
    fusion: bool = True,
    fixed_length: int | None = None,
    fixed_batch: int | None = None,
    labels: Sequence[str] | None = None,
    tokenizer: str | os.PathLike[str] | None = None,
    burn: BurnOptions = NOTHING_OVERRIDDEN,
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
        quantization: of activations in int8, a scale for each token (`per-token`), which makes a text's answer independent
            of its neighbours, or the classical one for the whole batch (`per-tensor`).
        padding: of the GRU, whether padding is invisible (`packed`) or read as in training (`padded`).
        fusion: trace each attention as one node, where that is possible.
        fixed_length: pad every text to this many tokens, special ones among them; the graph takes no other length.
        fixed_batch: the graph takes this many texts at once, and no other number.
        labels: names of the classes, in their order, instead of the checkpoint's.
        tokenizer: a folder, tokenizer.json or vocab.txt to take the tokenizer from.
        burn: what the files of a Burn transformer do not tell.
        offline: use only what is on this machine.
        progress: called with a few words as each stage begins.

    Raises:
        CheckpointError: the checkpoint's files are missing, damaged or contradict each other.
        UnknownModel, HubError: the checkpoint cannot be had.
        OutputError: the bundle cannot be written there.
        ExportError: it cannot be exported as asked for.
        ParityError: the bundle does not give torch's answers; nothing is written.
    """
    progress("reading the checkpoint")
    found = find_checkpoint(model, folder=_path(checkpoint), tokenizer=_path(tokenizer), offline=offline)
    target = Path(f"{found.name}-{precision}" if output is None else output)
    check_output(target, overwrite=overwrite)
    check_writable(target)
    if isinstance(labels, str):
        raise ExportError(f"labels must be several names, not {labels!r}")
    named = None if labels is None else tuple(labels)
    options = ExportOptions(precision, quantization, padding, fusion, fixed_length, fixed_batch, named, burn)
    classifier = fix_length(load_classifier(found, options), options)
    progress("asking torch")
    reference = run_reference(classifier, found)
    graph = _make_graph(found, classifier, options, progress)
    manifest = _manifest(found, classifier, options, count_nodes(graph))
    with bundle_folder(target, overwrite=overwrite) as folder:
        progress("writing")
        write_model(folder / _MODEL_FILES[precision], graph)
        _write_tokenizer(folder, found, classifier.max_length)
        _write_config(folder, found, classifier, _MODEL_FILES[precision])
        seal(folder, manifest)
        notes = classifier.notes
        del classifier, graph  # a large model's weights are not needed any more
        progress("measuring parity")
        report = _prove(folder, target.name, manifest, reference)
    return ExportReport(Bundle.open(target), report, notes)


def _path(given: str | os.PathLike[str] | None) -> Path | None:
    return None if given is None else Path(given)


def _make_graph(
    checkpoint: Checkpoint, classifier: TorchClassifier, options: ExportOptions, progress: Callable[[str], None]
) -> ir.Model:
    progress("tracing")
    model = trace(classifier, options)
    if options.fusion:
        fuse(model)
    counted = count_nodes(model)
    for kind, promised in classifier.promised_nodes.items():
        if counted[kind] < promised:
            raise ExportError(
                f"the graph has {counted[kind]} {kind} nodes instead of {promised}; report this with the versions in use"
            )
    typical = _calibrate(model, checkpoint, classifier, options, progress)
    if options.fusion:
        cut = keep_first_token(model)
        typical |= {cut[name]: known for name, known in typical.items() if name in cut}
    if options.precision == "int8":
        progress("quantizing")
        quantize(model, options.quantization, typical)
    return model


def _calibrate(
    model: ir.Model,
    checkpoint: Checkpoint,
    classifier: TorchClassifier,
    options: ExportOptions,
    progress: Callable[[str], None],
) -> dict[str, Typical]:
    """Return what int8 is fitted to; nothing where weights are rounded for themselves."""
    if options.precision != "int8" or not classifier.calibrated or options.quantization != "per-token":
        return {}
    progress("calibrating")
    ids = [checkpoint.tokenizer.ids(text, classifier.max_length, classifier.truncation) for text in calibration_texts()]
    batches = (pad([row], padded_length(len(row), classifier.lengths), classifier.pad_id, options.fixed_batch) for row in ids)
    try:
        return typical_values(model, products(model), batches)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{tempfile.gettempdir()}: no room for the fp32 model to calibrate ({reason}); set TMPDIR") from error


def _prove(folder: Path, name: str, manifest: dict[str, Any], reference: Reference) -> ParityReport:
    """Measure the bundle in the folder, refuse it or complete it with the evidence."""
    bounds = FP32 if manifest["precision"] == "fp32" else _BOUNDS[manifest["quantization"]["scheme"]]
    measurement = measure(Bundle.open(folder), reference, bounds)
    report = measurement.report
    if not report.passed:
        raise ParityError(report)
    _write_evidence(folder, measurement, reference)
    (folder / "README.md").write_text(model_card(name, manifest, report), encoding="utf-8", newline="\n")
    seal(folder, {**manifest, "parity": report.summary()})
    return report


def _manifest(
    checkpoint: Checkpoint, classifier: TorchClassifier, options: ExportOptions, counted: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "family": classifier.family,
        "precision": options.precision,
        "quantization": {"scheme": options.quantization, **_RECIPE} if options.precision == "int8" else None,
        "labels": list(classifier.labels),
        "activation": classifier.activation,
        "max_length": classifier.max_length,
        "lengths": list(classifier.lengths),
        "batch": options.fixed_batch,
        "pad_id": classifier.pad_id,
        "padding": classifier.padding,
        "truncation": classifier.truncation,
        "engines": {"onnxruntime": _MODEL_FILES[options.precision]},
        "nodes": {kind: counted[kind] for kind in classifier.promised_nodes},
        "source": {"id": checkpoint.source, "revision": checkpoint.revision, "licence": checkpoint.licence},
        "built_with": {name: version(name) for name in _BUILT_WITH},
        "parity": {},
    }


def _write_config(folder: Path, checkpoint: Checkpoint, classifier: TorchClassifier, model_file: str) -> None:
    """Write the checkpoint's config with our labels, and what transformers.js needs to know of the model's file."""
    id2label = dict(enumerate(classifier.labels))
    label2id = {label: index for index, label in id2label.items()}
    of_javascript: dict[str, Any] = {"dtype": "q8"} if "quantized" in model_file else {}
    if (folder / f"{model_file}_data").exists():
        of_javascript["use_external_data_format"] = {Path(model_file).name: 1}
    described = {"model_type": classifier.family, **checkpoint.config, "id2label": id2label, "label2id": label2id}
    write_json(folder / "config.json", {**described, "transformers.js_config": of_javascript})


def _write_tokenizer(folder: Path, checkpoint: Checkpoint, max_length: int) -> None:
    """Write the tokenizer's files by the names that other tools look for."""
    (folder / TOKENIZER).write_text(checkpoint.tokenizer.library.to_str(), encoding="utf-8", newline="\n")
    fallback = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": max_length}
    stated = checkpoint.tokenizer.settings("tokenizer_config.json") or fallback
    special = {name: token for name, token in stated.items() if name.endswith("_token") and isinstance(token, str | dict)}
    write_json(folder / "tokenizer_config.json", stated)
    write_json(folder / "special_tokens_map.json", checkpoint.tokenizer.settings("special_tokens_map.json") or special)


def _write_evidence(folder: Path, measurement: Measurement, reference: Reference) -> None:
    """Write the parity report, and golden outputs for `verify`."""
    write_json(folder / PARITY, measurement.report.whole())
    short = [
        pair for pair in zip(reference.texts, measurement.logits.tolist(), strict=True) if len(pair[0]) <= _GOLDEN_CHARACTERS
    ]
    rows = [{"text": text, "logits": logits} for text, logits in short[::_GOLDEN_EVERY]]
    golden = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / GOLDEN).write_text(golden, encoding="utf-8", newline="\n")
