"""What a bundle is made of, written into its folder."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_edge_export.graphs import count_nodes
from sentiment_edge_export.model_card import model_card
from sentiment_edge_export.writing import seal, write_json, write_model
from sentiment_edge_runtimes.bundle import FORMAT_VERSION, GOLDEN, PARITY, TOKENIZER, Bundle, Precision

if TYPE_CHECKING:
    from collections.abc import Iterable

    import onnx_ir as ir

    from sentiment_edge_export.back_off import Sensitivity
    from sentiment_edge_export.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.parity.measuring import Measurement, Reference
    from sentiment_edge_export.torch_classifier import TorchClassifier

_MODEL_FILES: dict[Precision, str] = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx"}
_RECIPE = {"weights": "int8, symmetric, per output channel", "activations": "uint8"}
_BUILT_WITH = ("sentiment-edge", "torch", "transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers", "numpy")
_GOLDEN_CHARACTERS = 200
"""Golden outputs are of the short ones among the project's texts: `verify` stays quick with a large model."""


class BundleFolder(NamedTuple):
    """A folder that becomes a bundle, and what it is made from."""

    path: Path
    name: str
    """The bundle's, as its card has it."""
    checkpoint: Checkpoint
    classifier: TorchClassifier
    options: ExportOptions

    def fill(self, graph: ir.Model, precision: Precision, fp32: Iterable[Sensitivity] = ()) -> Bundle:
        """Write everything but the evidence, in place of what is there.

        Args:
            graph: the model.
            precision: of the graph.
            fp32: the weights that are not int8, where precision is.
        """
        shutil.rmtree(self.path)
        self.path.mkdir()
        write_model(self.path / _MODEL_FILES[precision], graph)
        self._write_tokenizer()
        self._write_config(_MODEL_FILES[precision])
        seal(self.path, self._manifest(graph, precision, fp32))
        return Bundle.open(self.path)

    def complete(self, measurement: Measurement, reference: Reference) -> None:
        """Add the parity report, golden outputs for `verify`, and the card."""
        write_json(self.path / PARITY, measurement.report.whole())
        self._write_golden(measurement, reference)
        manifest = json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))
        card = model_card(self.name, manifest, measurement.report)
        (self.path / "README.md").write_text(card, encoding="utf-8", newline="\n")
        seal(self.path, {**manifest, "parity": measurement.report.summary()})

    def _manifest(self, graph: ir.Model, precision: Precision, fp32: Iterable[Sensitivity]) -> dict[str, Any]:
        checkpoint, classifier, options = self.checkpoint, self.classifier, self.options
        counted = count_nodes(graph)
        kept = [each._asdict() for each in fp32]
        return {
            "format_version": FORMAT_VERSION,
            "family": classifier.family,
            "precision": precision,
            "quantization": {"scheme": options.quantization, **_RECIPE, "fp32": kept} if precision == "int8" else None,
            "labels": list(classifier.labels),
            "activation": classifier.activation,
            "max_length": classifier.max_length,
            "lengths": list(classifier.lengths),
            "batch": options.fixed_batch,
            "pad_id": classifier.pad_id,
            "padding": classifier.padding,
            "truncation": classifier.truncation,
            "engines": {"onnxruntime": _MODEL_FILES[precision]},
            "nodes": {kind: counted[kind] for kind in classifier.promised_nodes},
            "source": {"id": checkpoint.source, "revision": checkpoint.revision, "licence": checkpoint.licence},
            "built_with": {name: version(name) for name in _BUILT_WITH},
            "parity": {},
        }

    def _write_config(self, model_file: str) -> None:
        """Write the checkpoint's config with our labels, and what transformers.js needs to know of the model's file."""
        id2label = dict(enumerate(self.classifier.labels))
        label2id = {label: index for index, label in id2label.items()}
        of_javascript: dict[str, Any] = {"dtype": "q8"} if "quantized" in model_file else {}
        if (self.path / f"{model_file}_data").exists():
            of_javascript["use_external_data_format"] = {Path(model_file).name: 1}
        stated = {"model_type": self.classifier.family, **self.checkpoint.config, "id2label": id2label, "label2id": label2id}
        write_json(self.path / "config.json", {**stated, "transformers.js_config": of_javascript})

    def _write_tokenizer(self) -> None:
        """Write the tokenizer's files by the names that other tools look for."""
        tokenizer = self.checkpoint.tokenizer
        (self.path / TOKENIZER).write_text(tokenizer.library.to_str(), encoding="utf-8", newline="\n")
        fallback = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": self.classifier.max_length}
        stated = tokenizer.settings("tokenizer_config.json") or fallback
        special = {name: token for name, token in stated.items() if name.endswith("_token") and isinstance(token, str | dict)}
        write_json(self.path / "tokenizer_config.json", stated)
        write_json(self.path / "special_tokens_map.json", tokenizer.settings("special_tokens_map.json") or special)

    def _write_golden(self, measurement: Measurement, reference: Reference) -> None:
        rows = [
            {"text": text, "logits": logits, "torch": expected}
            for text, logits, expected in zip(
                reference.texts[: reference.public], measurement.logits.tolist(), reference.logits.tolist(), strict=False
            )
            if len(text) <= _GOLDEN_CHARACTERS
        ]
        golden = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (self.path / GOLDEN).write_text(golden, encoding="utf-8", newline="\n")
