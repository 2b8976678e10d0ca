"""The steps of an export, in order, from the model's name to its bundle."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_export.bundle.folder import BundleFolder
from sentiment_edge_export.bundle.output import bundle_folder, prepare_output
from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.errors import ExportError, memory_named
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.families.restriction import restrict_length
from sentiment_edge_export.gate import Candidate, Proof, prove, prove_int8
from sentiment_edge_export.graph.editor import count_nodes
from sentiment_edge_export.graph.first_token import keep_first_token
from sentiment_edge_export.graph.fusion import fuse
from sentiment_edge_export.graph.tracing import trace
from sentiment_edge_export.options import ExportOptions, GateOptions, GraphOptions, Int8Options, SourceOptions
from sentiment_edge_export.parity.measure import run_reference
from sentiment_edge_export.parity.texts import parity_texts
from sentiment_edge_export.parity.tokens import compare_tokenizer
from sentiment_edge_export.quantization.calibration import calibration_texts
from sentiment_edge_export.quantization.rewrite import int8_recipe
from sentiment_edge_export.quantization.sharing import SharedStats
from sentiment_edge_export.targets import find_targets
from sentiment_edge_runtimes.batching import pad, padded_length
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.errors import OptionError
from sentiment_edge_runtimes.progress import SILENT, Progress
from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    import onnx_ir as ir

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_export.parity.measure import Reference
    from sentiment_edge_export.parity.report import ParityReport
    from sentiment_edge_export.parity.tokens import TokenizerParity
    from sentiment_edge_export.quantization.calibration import ActivationStats, Batches
    from sentiment_edge_export.quantization.sensitivity import Sensitivity
    from sentiment_edge_export.targets import Target
    from sentiment_edge_export.torch_classifier import TorchClassifier, TracedForm
    from sentiment_edge_runtimes.vocabulary import EngineName, Precision, Scheme

_MOST_CALIBRATION_TEXTS = 512
"""The most texts to calibrate on: more take time and change little. Of a larger number, evenly spaced ones are taken."""
_RANKING_EVERY = 4
"""Every fourth calibration text is used to rank the weights."""
_FITTED: tuple[Scheme | None, ...] = ("per-token", "static")
"""Schemes whose weights are fitted to calibration texts."""
_STAGES_OF_TORCH = {"reading the checkpoint": 3.0, "running the original in torch": 12.0}
"""The stages before those of each engine, and how long they take in proportion; see benchmarks/export_time.py."""
_STAGES_OF_AN_ENGINE: Mapping[Precision, Mapping[str, float]] = {
    "fp32": {"tracing": 5.0, "measuring parity": 25.0},
    "int8": {
        "tracing": 5.0,
        "calibrating": 10.0,
        "rounding": 15.0,
        "measuring parity of fp32": 7.0,
        "quantizing": 4.0,
        "measuring parity": 12.0,
    },
}
_DEFAULT_SOURCE, _DEFAULT_GRAPH = SourceOptions(), GraphOptions()
_DEFAULT_INT8, _DEFAULT_GATE = Int8Options(), GateOptions()


class ExportReport(NamedTuple):
    """The outcome of an export."""

    bundle: Bundle
    parity: ParityReport
    fp32: tuple[Sensitivity, ...] = ()
    """The weights of an int8 bundle that stayed fp32, for it to give torch's answers."""
    notes: tuple[str, ...] = ()
    """Remarks for the user, a sentence each."""


def export_model(  # noqa: PLR0913 - the front door: every option has a default and is passed by name
    model: str,
    *,
    precision: Precision = "fp32",
    engines: Sequence[EngineName] = (DEFAULT_ENGINE,),
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    source: SourceOptions = _DEFAULT_SOURCE,
    graph: GraphOptions = _DEFAULT_GRAPH,
    int8: Int8Options = _DEFAULT_INT8,
    gate: GateOptions = _DEFAULT_GATE,
    progress: Progress = SILENT,
) -> ExportReport:
    """Turn a trained checkpoint into a bundle and prove that it gives torch's answers.

    Args:
        model: a known name, a folder, or a Hub id (owner/name).
        precision: `fp32`, or `int8` for weights and products in 8 bits.
        engines: the engines that the bundle is to hold a model for.
        output: the bundle's folder. The default is ./NAME-PRECISION.
        overwrite: whether to replace a bundle that is already there.
        source: the source of the model's files, and facts that they lack.
        graph: shape and arithmetic of the exported graph.
        int8: the kind of int8, and the texts that it is fitted to.
        gate: the bounds that the bundle must keep, and texts to measure in addition to the project's own.
        progress: is told of each stage.

    Raises:
        OptionError: an option cannot be used, or has no effect on this model, precision or engine.
        CheckpointError: the checkpoint's files are missing, damaged or contradict each other.
        UnknownModel, HubError: the checkpoint cannot be found or downloaded.
        OutputError: the bundle cannot be written there.
        ExportError: the model cannot be exported as requested.
        ParityError: the bundle does not give torch's answers; nothing is written.
    """
    options = ExportOptions(precision, engines, source, graph, int8, gate)
    targets = find_targets(options)
    _check_calibration(options)
    _begin(options, progress)
    checkpoint = find_checkpoint(model, source)
    place = Path(f"{checkpoint.name}-{precision}" if output is None else output)
    prepare_output(place, overwrite=overwrite)
    with memory_named():
        export = _Export.load(checkpoint, options, progress)
    with bundle_folder(place, overwrite=overwrite) as path, memory_named():
        folder = BundleFolder(path, place.name, checkpoint, export.classifier, options)
        proofs = export.prove_all(targets, folder, progress)
        report = export.complete(folder, proofs)
    fp32 = tuple(weight for proof in proofs.values() for weight in proof.fp32)
    return ExportReport(Bundle.open(place), report, fp32, tuple(dict.fromkeys(export.notes)))


def _begin(options: ExportOptions, progress: Progress) -> None:
    """Tell of the stages to come, and of the first."""
    progress.expect([*_expected_stages(options)])
    progress.stage(next(iter(_STAGES_OF_TORCH)))


def _expected_stages(options: ExportOptions) -> Iterator[tuple[str, float]]:
    """Yield the stages of an export in order, and how long each takes; those that a model does not need are skipped."""
    yield from _STAGES_OF_TORCH.items()
    several = len(options.engines) > 1
    for engine in options.engines:
        for name, share in _STAGES_OF_AN_ENGINE[options.precision].items():
            yield (f"{engine}: {name}" if several else name), share


class _EngineProgress(Progress):
    """Reports the stages of one engine, its name before each."""

    def __init__(self, progress: Progress, engine: EngineName) -> None:
        self._progress = progress
        self._engine = engine

    def stage(self, name: str) -> None:
        self._progress.stage(f"{self._engine}: {name}")

    def share(self, done: float) -> None:
        self._progress.share(done)

    def remark(self, text: str) -> None:
        self._progress.remark(f"{self._engine}: {text}")

    def advance(self, items: int) -> None:
        self._progress.advance(items)


@dataclass(frozen=True)
class _Export:
    """The source of the models for all engines: a checkpoint, loaded once, and its answers."""

    options: ExportOptions
    checkpoint: Checkpoint
    classifier: TorchClassifier
    reference: Reference
    tokens: TokenizerParity
    notes: list[str]
    """Remarks for the user: on the checkpoint, then on each form that was traced."""
    shared_stats: SharedStats = field(default_factory=SharedStats)
    """What calibration for one engine found, for the next."""

    @classmethod
    def load(cls, checkpoint: Checkpoint, options: ExportOptions, progress: Progress) -> _Export:
        """Load a checkpoint and run it in torch."""
        classifier = restrict_length(load_classifier(checkpoint, options), checkpoint.tokenizer, options.graph)
        tokens = compare_tokenizer(checkpoint.tokenizer, options.gate.texts, classifier.max_length, classifier.truncation)
        progress.stage("running the original in torch")
        rows = options.graph.fixed_batch
        reference = run_reference(classifier, checkpoint, options.gate.texts, fixed_rows=rows, progress=progress)
        notes = [*classifier.notes, *checkpoint.tokenizer.notes, *tokens.notes(), *reference.left_out]
        return cls(options, checkpoint, classifier, reference, tokens, notes)

    def prove_all(self, targets: Sequence[Target], folder: BundleFolder, progress: Progress) -> dict[EngineName, Proof]:
        """Write a model for each engine into the folder and prove it."""
        several = len(targets) > 1
        proofs: dict[EngineName, Proof] = {}
        for target in targets:
            heard = _EngineProgress(progress, target.ENGINE) if several else progress
            proofs[target.ENGINE] = self._prove(target, folder, heard, last=target is targets[-1])
        return proofs

    def complete(self, folder: BundleFolder, proofs: Mapping[EngineName, Proof]) -> ParityReport:
        """Write the evidence into the folder, and return the report on all engines."""
        measurements = {engine: proof.measurement for engine, proof in proofs.items()}
        return folder.complete(measurements, self.reference, self.tokens)

    def _prove(self, target: Target, folder: BundleFolder, progress: Progress, *, last: bool) -> Proof:
        options, classifier = self.options, self.classifier
        form = classifier.make_form(options.graph.fusion and target.FUSES_ATTENTION)
        self.notes.extend(form.notes)
        scheme = target.scheme(classifier, options) if options.precision == "int8" else None
        progress.stage("tracing")
        model = trace_graph(classifier, form, target, options)
        candidate = Candidate(folder, target, form, model, self.reference, classifier.activation, progress)
        batches = self._calibration_batches(form) if scheme else []
        stats = self._stats(model, scheme, batches, progress)
        if last:
            self.shared_stats.forget()
        if options.graph.fusion:
            stats |= first_token_stats(model, stats)
        if scheme is None:
            return prove(candidate)
        progress.stage("rounding")
        products = target.INTEGER_PRODUCTS
        recipe = int8_recipe(model, scheme, stats, batches, integer_products=products, progress=progress)
        stats.clear()  # of a large model they take a gigabyte
        return prove_int8(candidate, recipe, batches[::_RANKING_EVERY])

    def _stats(
        self, model: ir.Model, scheme: Scheme | None, batches: Batches, progress: Progress
    ) -> dict[str, ActivationStats]:
        """Return the statistics that the weights are fitted to, by the names of the activations."""
        if not self.classifier.calibrated or scheme not in _FITTED:
            return {}
        if self.shared_stats.lacks(model):
            progress.stage("calibrating")
        return self.shared_stats.of(model, batches, progress)

    def _calibration_batches(self, form: TracedForm) -> Batches:
        """Return ids and mask of each calibration text, leaving out those that the gate measures."""
        classifier, options, longest = self.classifier, self.options, self.reference.longest
        measured = {*self.reference.texts}
        texts = [text for text in options.int8.calibration or calibration_texts() if text not in measured]
        texts = texts[:: -(-len(texts) // _MOST_CALIBRATION_TEXTS)]
        ids = [self.checkpoint.tokenizer.ids(text, longest, classifier.truncation) for text in texts]
        rows, grid = options.graph.fixed_batch, classifier.grid(form)
        return [pad([row], padded_length(len(row), grid), classifier.pad_id, rows) for row in ids if row]


def trace_graph(classifier: TorchClassifier, form: TracedForm, target: Target, options: ExportOptions) -> ir.Model:
    """Return the fp32 graph of a classifier for an engine, fused if the engine fuses attention.

    Raises:
        ExportError: it cannot be traced, or has fewer nodes of a type than the form promises.
    """
    model = trace(classifier, form, options.graph)
    if options.graph.fusion and target.FUSES_ATTENTION:
        fuse(model)
    target.adapt(model)
    counted = count_nodes(model)
    for kind, promised in form.promised_nodes.items():
        if counted[kind] < promised:
            raise ExportError(
                f"the graph has {counted[kind]} {kind} nodes instead of {promised}; report this with the versions in use"
            )
    return model


def first_token_stats(model: ir.Model, stats: Mapping[str, ActivationStats]) -> dict[str, ActivationStats]:
    """Cut the graph to the first token where it can be, in place; return the stats of the cut values by their new names."""
    cut = keep_first_token(model)
    return {cut[name]: known for name, known in stats.items() if name in cut}


def _check_calibration(options: ExportOptions) -> None:
    """Refuse calibration texts that the gate measures too, every one of them."""
    texts = {*options.int8.calibration}
    if texts and texts <= {*parity_texts(), *options.gate.texts}:
        raise OptionError("calibration", "all these texts are among those that the gate measures; give others to calibrate on")
