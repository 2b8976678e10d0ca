"""The parts of the manifest that programs in other languages need: a model's inputs and outputs, and the special tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge_runtimes.bundle import Interface, Manifest, SpecialTokens, Tensor
from sentiment_edge_runtimes.engines.loader import answer_settings
from sentiment_edge_runtimes.tokenization import PROBE
from sentiment_edge_runtimes.verification import tolerance

if TYPE_CHECKING:
    from collections.abc import Iterable

    import onnx_ir as ir
    from tokenizers import Tokenizer

    from sentiment_edge_runtimes.vocabulary import EngineName


def describe_model(graph: ir.Model, manifest: Manifest, engine: EngineName) -> Interface:
    """Return what a program must know of an engine's model.

    Args:
        graph: as it was written for the engine.
        manifest: of the bundle, all else of it.
        engine: whose model it is.
    """
    inputs, outputs = _tensors(graph.graph.inputs), _tensors(graph.graph.outputs)
    return Interface(inputs, outputs, answer_settings(manifest, engine), tolerance(manifest.computed_in(engine)))


def find_special_tokens(tokenizer: Tokenizer) -> SpecialTokens:
    """Return the ids that a tokenizer puts around those of any text."""
    probe = tokenizer.encode(PROBE)
    own = [at for at, special in enumerate(probe.special_tokens_mask) if not special]
    return SpecialTokens(tuple(probe.ids[: own[0]]), tuple(probe.ids[own[-1] + 1 :]))


def _tensors(values: Iterable[ir.Value]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(value.name or "", value.dtype.numpy().name, tuple(_size(size) for size in value.shape))
        for value in values
        if value.dtype is not None and value.shape is not None
    )


def _size(size: int | ir.SymbolicDim) -> str | int:
    return size if isinstance(size, int) else str(size.value)
