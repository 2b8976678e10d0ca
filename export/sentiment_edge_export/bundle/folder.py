"""The files of a bundle, written into its folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from sentiment_edge_export.bundle.golden import write_golden
from sentiment_edge_export.bundle.interface import describe_model, find_special_tokens
from sentiment_edge_export.bundle.model_card import model_card
from sentiment_edge_export.bundle.output import seal, write_json
from sentiment_edge_export.graph.editor import count_nodes
from sentiment_edge_export.parity.report import merge
from sentiment_edge_runtimes.bundle import CARD, PARITY, TOKENIZER, Bundle, Fp32Weight, Interface, Manifest, Recipe, Source
from sentiment_edge_runtimes.vocabulary import REDUCING_ENGINES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import onnx_ir as ir

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.options import ExportOptions
    from sentiment_edge_export.parity.measure import Measurement, Reference
    from sentiment_edge_export.parity.report import ParityReport
    from sentiment_edge_export.parity.tokens import TokenizerParity
    from sentiment_edge_export.quantization.sensitivity import Sensitivity
    from sentiment_edge_export.targets import Target
    from sentiment_edge_export.torch_classifier import TorchClassifier, TracedForm
    from sentiment_edge_runtimes.vocabulary import EngineName, InferencePrecision, Precision, Scheme

_WEIGHTS = "int8, symmetric, per output channel"
_BUILT_WITH = ("sentiment-edge", "torch", "transformers", "onnx", "onnxscript", "tokenizers", "numpy")


class Arithmetic(NamedTuple):
    """The number types that a model computes in."""

    scheme: Scheme | None = None
    """The kind of int8; None for an fp32 model."""
    fp32: tuple[Sensitivity, ...] = ()
    """The weights of an int8 model that stay fp32."""
    inference_precision: InferencePrecision = "f32"
    """The type that the engine may use for everything that is not int8."""


class BundleFolder:
    """A folder that becomes a bundle: one model for each engine, then the evidence."""

    def __init__(
        self, path: Path, name: str, checkpoint: Checkpoint, classifier: TorchClassifier, options: ExportOptions
    ) -> None:
        self.path = path
        self.options = options
        self._name = name
        self._checkpoint = checkpoint
        self._classifier = classifier
        self._engines: dict[EngineName, str] = {}
        self._recipes: dict[EngineName, Recipe] = {}
        self._models: dict[EngineName, Interface] = {}
        self._nodes: dict[str, int] = {}
        self._lengths: tuple[int, ...] = ()
        self._config_entries: dict[str, Any] = {}
        self._inference_precision: InferencePrecision = "f32"
        self._write_tokenizer()

    def fill(self, target: Target, form: TracedForm, graph: ir.Model, arithmetic: Arithmetic) -> Bundle:
        """Write the model for an engine, replacing an earlier one."""
        engine = target.ENGINE
        precision: Precision = "int8" if arithmetic.scheme else "fp32"
        if engine in self._engines:
            shutil.rmtree((self.path / self._engines[engine]).parent)
        self._engines[engine] = target.write(self.path, graph, precision)
        if arithmetic.scheme:
            self._recipes[engine] = _recipe(arithmetic.scheme, arithmetic.fp32)
        if engine in REDUCING_ENGINES:
            self._inference_precision = arithmetic.inference_precision
        if engine == self.options.engines[0]:
            counted = count_nodes(graph)
            self._nodes = {kind: counted[kind] for kind in form.promised_nodes}
            self._lengths = form.lengths
        self._write_config(target)
        manifest = self._manifest(precision)
        self._models[engine] = describe_model(graph, manifest, engine)
        seal(self.path, replace(manifest, models=self._models))
        return Bundle.open(self.path)

    def complete(
        self, measurements: Mapping[EngineName, Measurement], reference: Reference, tokens: TokenizerParity
    ) -> ParityReport:
        """Write the parity report, the golden outputs for `verify` and the model card; return the report on all engines."""
        report = replace(merge([measurement.report for measurement in measurements.values()]), tokenizer=tokens)
        manifest = Bundle.open(self.path).manifest
        manifest = replace(manifest, parity=report.summary(), tokenizer_reference=tokens.reference)
        write_json(self.path / PARITY, report.whole())
        write_golden(self.path, manifest, {name: measured.logits for name, measured in measurements.items()}, reference)
        card = model_card(self._name, manifest, report, self._checkpoint.card)
        (self.path / CARD).write_text(card, encoding="utf-8", newline="\n")
        seal(self.path, manifest)
        return report

    def _manifest(self, precision: Precision) -> Manifest:
        checkpoint, classifier = self._checkpoint, self._classifier
        return Manifest(
            family=classifier.family,
            precision=precision,
            labels=classifier.labels,
            activation=classifier.activation,
            max_length=classifier.max_length,
            lengths=self._lengths,
            batch=self.options.graph.fixed_batch,
            pad_id=classifier.pad_id,
            padding=classifier.padding,
            truncation=classifier.truncation,
            special_tokens=find_special_tokens(checkpoint.tokenizer.library),
            engines=self._engines,
            inference_precision=self._inference_precision,
            quantization=self._recipes,
            nodes=self._nodes,
            source=Source(checkpoint.source, checkpoint.revision, checkpoint.licence),
            built_with={name: version(name) for name in (*_BUILT_WITH, *self._engines)},
        )

    def _write_config(self, target: Target) -> None:
        """Write the checkpoint's config with our labels, and the entries by which other tools find the engine's file."""
        id2label = dict(enumerate(self._classifier.labels))
        label2id = {label: index for index, label in id2label.items()}
        config = {"model_type": self._classifier.family, **self._checkpoint.config, "id2label": id2label, "label2id": label2id}
        self._config_entries |= target.describe(self.path, self._engines[target.ENGINE])
        write_json(self.path / "config.json", {**config, **self._config_entries})

    def _write_tokenizer(self) -> None:
        """Write the tokenizer's files under the names that other tools expect."""
        tokenizer = self._checkpoint.tokenizer
        (self.path / TOKENIZER).write_text(tokenizer.library.to_str(), encoding="utf-8", newline="\n")
        fallback = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": self._classifier.max_length}
        stated = tokenizer.stated() or fallback
        if self.options.graph.max_length is not None:
            stated = {**stated, "model_max_length": self._classifier.max_length}
        special = {name: token for name, token in stated.items() if name.endswith("_token") and isinstance(token, str | dict)}
        write_json(self.path / "tokenizer_config.json", stated)
        write_json(self.path / "special_tokens_map.json", tokenizer.settings("special_tokens_map.json") or special)


def _recipe(scheme: Scheme, fp32: Iterable[Sensitivity]) -> Recipe:
    """Return the manifest's description of an engine's int8."""
    activations = "fp32" if scheme == "weight-only" else "uint8"
    return Recipe(scheme, _WEIGHTS, activations, tuple(Fp32Weight(each.weight, each.drift, each.share) for each in fp32))
