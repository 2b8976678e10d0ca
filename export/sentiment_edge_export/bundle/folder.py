"""What a bundle is made of, written into its folder."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_edge_export.bundle.model_card import model_card
from sentiment_edge_export.bundle.output import seal, write_json
from sentiment_edge_export.graph.editor import count_nodes
from sentiment_edge_export.parity.report import together
from sentiment_edge_runtimes.bundle import FORMAT_VERSION, GOLDEN, MANIFEST, PARITY, TOKENIZER, Bundle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import onnx_ir as ir

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.parity.measure import Measurement, Reference
    from sentiment_edge_export.parity.report import ParityReport
    from sentiment_edge_export.quantization.sensitivity import Sensitivity
    from sentiment_edge_export.targets import Target
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.vocabulary import EngineName, InferencePrecision, Precision, Scheme

_WEIGHTS = "int8, symmetric, per output channel"
_BUILT_WITH = ("sentiment-edge", "torch", "transformers", "onnx", "onnxscript", "tokenizers", "numpy")
_GOLDEN_CHARACTERS = 200
"""Golden outputs are of the short ones among the project's texts: `verify` stays quick with a large model."""


class Arithmetic(NamedTuple):
    """In which numbers a model computes."""

    scheme: Scheme | None = None
    """How activations are quantized; None of fp32."""
    fp32: tuple[Sensitivity, ...] = ()
    """The weights that are not int8 nevertheless."""
    inference_precision: InferencePrecision = "f32"
    """What OpenVINO may use for the rest."""


class BundleFolder:
    """A folder that becomes a bundle: a model for one engine after the other, then the evidence."""

    def __init__(
        self, path: Path, name: str, checkpoint: Checkpoint, classifier: TorchClassifier, options: ExportOptions
    ) -> None:
        self.path = path
        self.options = options
        self._name = name
        self._checkpoint = checkpoint
        self._classifier = classifier
        self._engines: dict[EngineName, str] = {}
        self._quantization: dict[EngineName, dict[str, Any]] = {}
        self._nodes: dict[str, int] = {}
        self._inference_precision: InferencePrecision = "f32"
        self._write_tokenizer()

    def fill(self, target: Target, graph: ir.Model, arithmetic: Arithmetic) -> Bundle:
        """Write the model for an engine, in place of the one that is there."""
        precision: Precision = "int8" if arithmetic.scheme else "fp32"
        if target.ENGINE in self._engines:
            shutil.rmtree((self.path / self._engines[target.ENGINE]).parent)
        self._engines[target.ENGINE] = target.write(self.path, graph, precision)
        if arithmetic.scheme:
            self._quantization[target.ENGINE] = _recipe(arithmetic.scheme, arithmetic.fp32)
        if target.ENGINE == "openvino":
            self._inference_precision = arithmetic.inference_precision
        if self.options.engines[0] == target.ENGINE:
            counted = count_nodes(graph)
            self._nodes = {kind: counted[kind] for kind in self._classifier.promised_nodes}
        self._write_config()
        seal(self.path, self._manifest(precision))
        return Bundle.open(self.path)

    def complete(self, measurements: Mapping[EngineName, Measurement], reference: Reference) -> ParityReport:
        """Add the parity report, golden outputs for `verify`, and the card; return the report on all engines."""
        report = together([measurement.report for measurement in measurements.values()])
        write_json(self.path / PARITY, report.whole())
        self._write_golden(measurements, reference)
        manifest = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        card = model_card(self._name, manifest, report)
        (self.path / "README.md").write_text(card, encoding="utf-8", newline="\n")
        seal(self.path, {**manifest, "parity": report.summary()})
        return report

    def _manifest(self, precision: Precision) -> dict[str, Any]:
        checkpoint, classifier = self._checkpoint, self._classifier
        libraries = (*_BUILT_WITH, *self._engines)
        return {
            "format_version": FORMAT_VERSION,
            "family": classifier.family,
            "precision": precision,
            "inference_precision": self._inference_precision,
            "quantization": self._quantization or None,
            "labels": list(classifier.labels),
            "activation": classifier.activation,
            "max_length": classifier.max_length,
            "lengths": list(classifier.lengths),
            "batch": self.options.fixed_batch,
            "pad_id": classifier.pad_id,
            "padding": classifier.padding,
            "truncation": classifier.truncation,
            "engines": self._engines,
            "nodes": self._nodes,
            "source": {"id": checkpoint.source, "revision": checkpoint.revision, "licence": checkpoint.licence},
            "built_with": {name: version(name) for name in libraries},
            "parity": {},
        }

    def _write_config(self) -> None:
        """Write the checkpoint's config with our labels, and what transformers.js needs to know of the model's file."""
        model_file = self._engines.get("onnxruntime", "")
        id2label = dict(enumerate(self._classifier.labels))
        label2id = {label: index for index, label in id2label.items()}
        of_javascript: dict[str, Any] = {"dtype": "q8"} if "quantized" in model_file else {}
        if model_file and (self.path / f"{model_file}_data").exists():
            of_javascript["use_external_data_format"] = {Path(model_file).name: 1}
        stated = {"model_type": self._classifier.family, **self._checkpoint.config, "id2label": id2label, "label2id": label2id}
        write_json(self.path / "config.json", {**stated, "transformers.js_config": of_javascript})

    def _write_tokenizer(self) -> None:
        """Write the tokenizer's files by the names that other tools look for."""
        tokenizer = self._checkpoint.tokenizer
        (self.path / TOKENIZER).write_text(tokenizer.library.to_str(), encoding="utf-8", newline="\n")
        fallback = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": self._classifier.max_length}
        stated = tokenizer.settings("tokenizer_config.json") or fallback
        special = {name: token for name, token in stated.items() if name.endswith("_token") and isinstance(token, str | dict)}
        write_json(self.path / "tokenizer_config.json", stated)
        write_json(self.path / "special_tokens_map.json", tokenizer.settings("special_tokens_map.json") or special)

    def _write_golden(self, measurements: Mapping[EngineName, Measurement], reference: Reference) -> None:
        bundle = Bundle.open(self.path)
        logits = {
            bundle.manifest.golden_key(engine): measurement.logits.tolist() for engine, measurement in measurements.items()
        }
        expected = reference.logits.tolist()
        rows = [
            {"text": text, **{key: each[row] for key, each in logits.items()}, "torch": expected[row]}
            for row, text in enumerate(reference.texts[: reference.public])
            if len(text) <= _GOLDEN_CHARACTERS
        ]
        golden = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (self.path / GOLDEN).write_text(golden, encoding="utf-8", newline="\n")


def _recipe(scheme: Scheme, fp32: Iterable[Sensitivity]) -> dict[str, Any]:
    """Return what the manifest tells of an engine's int8."""
    activations = "fp32" if scheme == "stored" else "uint8"
    kept = [{"weight": each.weight, "drift": each.drift, "share": each.share} for each in fp32]
    return {"scheme": scheme, "weights": _WEIGHTS, "activations": activations, "fp32": kept}
