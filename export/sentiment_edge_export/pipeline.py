"""From a model's name to its bundle: the steps, in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sentiment_edge_export.bundle.folder import Arithmetic, BundleFolder
from sentiment_edge_export.bundle.output import bundle_folder, check_output, check_writable
from sentiment_edge_export.checkpoints.checkpoint import Checkpoint, find_checkpoint
from sentiment_edge_export.errors import ExportError
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.gate import Job, Proof, bounds_for, prove, prove_int8
from sentiment_edge_export.graph.editor import count_nodes
from sentiment_edge_export.graph.first_token import keep_first_token
from sentiment_edge_export.graph.fusion import fuse
from sentiment_edge_export.graph.tracing import trace
from sentiment_edge_export.options import NOTHING_OVERRIDDEN, USUAL_GATE, BurnOptions, ExportOptions, GateOptions
from sentiment_edge_export.parity.measure import run_reference
from sentiment_edge_export.parity.texts import parity_texts
from sentiment_edge_export.quantization.calibration import Typical, calibration_texts, typical_values
from sentiment_edge_export.quantization.rewrite import int8_recipe
from sentiment_edge_export.quantization.weights import products
from sentiment_edge_export.targets import TARGETS, Target
from sentiment_edge_runtimes.batching import pad, padded_length
from sentiment_edge_runtimes.bundle import LARGEST_BATCH, SHORTEST, Bundle
from sentiment_edge_runtimes.machine.cpu import cpu_features

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    import onnx_ir as ir

    from sentiment_edge_export.parity.measure import Reference
    from sentiment_edge_export.parity.report import ParityReport
    from sentiment_edge_export.quantization.calibration import Batches
    from sentiment_edge_export.quantization.sensitivity import Sensitivity
    from sentiment_edge_export.torch_classifier import TorchClassifier
    from sentiment_edge_runtimes.vocabulary import EngineName, InferencePrecision, Padding, Precision, Quantization, Scheme

_MOST_CALIBRATION_TEXTS = 512
"""More would cost time and change little; of a longer file, so many are taken from all of it."""
_RANKING_EVERY = 4
"""Of the calibration texts, so manieth rank the weights."""


class ExportReport(NamedTuple):
    """What an export made."""

    bundle: Bundle
    parity: ParityReport
    fp32: tuple[Sensitivity, ...] = ()
    """The weights of an int8 bundle that stayed fp32, for it to give torch's answers."""
    notes: tuple[str, ...] = ()
    """What the user should know about it, a sentence each."""


def export_model(  # noqa: PLR0913 - the front door: every option has a default and is passed by name
    model: str,
    *,
    precision: Precision = "fp32",
    engines: Sequence[EngineName] = ("onnxruntime",),
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
    gate: GateOptions = USUAL_GATE,
    inference_precision: InferencePrecision = "f32",
    calibration: Sequence[str] = (),
    offline: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> ExportReport:
    """Turn a trained checkpoint into a bundle and prove that it gives torch's answers.

    Args:
        model: a known name, a folder, or a Hub id (owner/name).
        precision: `fp32`, or `int8` for weights and products in 8 bits.
        engines: what the bundle is to hold a model for.
        output: the bundle's folder; None for ./NAME-PRECISION.
        overwrite: replace a bundle that is there.
        checkpoint: a folder to take the files of `model` from.
        quantization: of ONNX Runtime's activations in int8, a scale for each token (`per-token`), which makes a text's answer
            independent of its neighbours, or the classical one for the whole batch (`per-tensor`).
        padding: of the GRU, whether padding is invisible (`packed`) or read as in training (`padded`).
        fusion: trace each attention as one node, where that is possible.
        fixed_length: pad every text to this many tokens, special ones among them; the graph takes no other length.
        fixed_batch: the graph takes this many texts at once, and no other number.
        labels: names of the classes, in their order, instead of the checkpoint's.
        tokenizer: a folder, tokenizer.json or vocab.txt to take the tokenizer from.
        burn: what the files of a Burn transformer do not tell.
        gate: what the bundle must hold to, on which texts, and how much of it may be fp32 for that.
        inference_precision: `bf16` lets OpenVINO compute in bfloat16 what is not int8, on CPUs that can; gated like int8.
        calibration: texts to fit int8 to, instead of 128 of the project's own; those that the gate measures do not count.
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
    for name, given in (("labels", labels), ("engines", engines), ("calibration", calibration)):
        if isinstance(given, str):
            raise ExportError(f"{name} must be several names, not {given!r}")
    named = None if labels is None else tuple(labels)
    wanted = tuple(dict.fromkeys(engines))
    options = ExportOptions(
        precision,
        quantization,
        padding,
        fusion,
        fixed_length,
        fixed_batch,
        named,
        burn,
        gate,
        wanted,
        inference_precision,
        tuple(calibration),
    )
    targets = _targets(options)
    bounds_for(options, Arithmetic())  # a wrong one is better named now
    _check_calibration(options)
    classifier = _load(found, options, targets[0])
    progress("asking torch")
    reference = run_reference(classifier, found, gate.texts)
    with bundle_folder(target, overwrite=overwrite) as path:
        folder = BundleFolder(path, target.name, found, classifier, options)
        proofs: dict[EngineName, Proof] = {}
        notes: dict[str, None] = {}
        for each in targets:
            if each != targets[0]:
                classifier = _load(found, options, each)
            stages = progress if len(targets) == 1 else _for_engine(progress, each)
            notes |= dict.fromkeys(classifier.notes)
            proofs[each.ENGINE] = _prove(folder, each, classifier, found, reference, stages)
        report = folder.complete({engine: proof.measurement for engine, proof in proofs.items()}, reference)
    fp32 = tuple(weight for proof in proofs.values() for weight in proof.fp32)
    return ExportReport(Bundle.open(target), report, fp32, tuple(notes))


def _targets(options: ExportOptions) -> list[Target]:
    unknown = [name for name in options.engines if name not in TARGETS]
    if unknown or not options.engines:
        raise ExportError(f"engines must be some of {', '.join(TARGETS)}, not {', '.join(unknown) or 'none'}")
    if options.inference_precision != "f32" and "openvino" not in options.engines:
        raise ExportError("bfloat16 is for OpenVINO only; export for that engine too")
    if options.inference_precision == "bf16" and "bf16" not in cpu_features().features:
        raise ExportError("this CPU has no bfloat16, so parity in it cannot be measured; export on one that has")
    targets = [TARGETS[name] for name in options.engines]
    for target in targets:
        target.check()
    return targets


def _check_calibration(options: ExportOptions) -> None:
    if options.calibration and options.precision == "fp32":
        raise ExportError("calibration texts are for int8; ask for that too")
    if options.calibration and {*options.calibration} <= {*parity_texts(), *options.gate.texts}:
        raise ExportError("all calibration texts are among those that the gate measures; give it others")


def _load(checkpoint: Checkpoint, options: ExportOptions, target: Target) -> TorchClassifier:
    """Load the model in the form that an engine wants to be traced."""
    fusion = options.fusion and target.FUSES_ATTENTION
    return fix_length(load_classifier(checkpoint, replace(options, fusion=fusion)), options)


def fix_length(classifier: TorchClassifier, options: ExportOptions) -> TorchClassifier:
    """Return the classifier reading texts of the fixed length only, if there is one.

    Raises:
        ExportError: the model has too few positions for it, or a fixed batch is out of range.
    """
    length, batch = options.fixed_length, options.fixed_batch
    if batch is not None and not 1 <= batch <= LARGEST_BATCH:
        raise ExportError(f"a fixed batch of {batch} texts; it must be 1 to {LARGEST_BATCH}")
    if length is None:
        return classifier
    if not SHORTEST <= length <= classifier.max_length:
        raise ExportError(f"a fixed length of {length} tokens; this model takes {SHORTEST} to {classifier.max_length}")
    if options.padding == "padded" and length != classifier.max_length:
        raise ExportError(f"with --padding padded the model reads {classifier.max_length} tokens, not {length}")
    return replace(classifier, max_length=length, lengths=(length,))


def _for_engine(progress: Callable[[str], None], target: Target) -> Callable[[str], None]:
    return lambda stage: progress(f"{target.ENGINE}: {stage}")


def _prove(
    folder: BundleFolder,
    target: Target,
    classifier: TorchClassifier,
    checkpoint: Checkpoint,
    reference: Reference,
    progress: Callable[[str], None],
) -> Proof:
    """Make the model for an engine, in the folder, and prove it."""
    options = folder.options
    batches = _calibration_batches(checkpoint, classifier, options, reference)
    scheme = target.scheme(classifier, options) if options.precision == "int8" else None
    graph, typical = make_graph(classifier, target, batches, scheme, options, progress)
    job = Job(folder, target, graph, reference, classifier.activation, progress)
    if scheme is None:
        return prove(job)
    progress("rounding")
    return prove_int8(job, int8_recipe(graph, scheme, typical, batches), batches[::_RANKING_EVERY])


def _path(given: str | os.PathLike[str] | None) -> Path | None:
    return None if given is None else Path(given)


def make_graph(
    classifier: TorchClassifier,
    target: Target,
    batches: Batches,
    scheme: Scheme | None,
    options: ExportOptions,
    progress: Callable[[str], None],
) -> tuple[ir.Model, dict[str, Typical]]:
    """Return the fp32 graph, and what int8 is fitted to: nothing where weights are rounded for themselves."""
    progress("tracing")
    model = trace(classifier, options)
    if options.fusion and target.FUSES_ATTENTION:
        fuse(model)
    target.adapt(model)
    counted = count_nodes(model)
    for kind, promised in classifier.promised_nodes.items():
        if counted[kind] < promised:
            raise ExportError(
                f"the graph has {counted[kind]} {kind} nodes instead of {promised}; report this with the versions in use"
            )
    typical: dict[str, Typical] = {}
    if classifier.calibrated and scheme in {"per-token", "static"}:
        progress("calibrating")
        typical = typical_values(model, products(model), batches)
    if options.fusion:
        cut = keep_first_token(model)
        typical |= {cut[name]: known for name, known in typical.items() if name in cut}
    return model, typical


def _calibration_batches(
    checkpoint: Checkpoint, classifier: TorchClassifier, options: ExportOptions, reference: Reference
) -> Batches:
    """Return ids and mask of each calibration text."""
    seen = {*reference.texts}
    texts = [text for text in options.calibration or calibration_texts() if text not in seen]
    texts = texts[:: -(-len(texts) // _MOST_CALIBRATION_TEXTS)]
    ids = [checkpoint.tokenizer.ids(text, classifier.max_length, classifier.truncation) for text in texts]
    return [pad([row], padded_length(len(row), classifier.lengths), classifier.pad_id, options.fixed_batch) for row in ids]
