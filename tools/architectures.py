"""Try every architecture with a sequence classifier in transformers: a tiny model of random weights, exported for real.

    PYTHONPATH=tests python -m tools.architectures [--write docs/architectures.md] [--only bert modernbert]

Each is made ready in fp32 as an export does, without its gate, in a process of its own, with bounds on its memory and its time.
The table says what came of it: how many attentions became one node, or the reason of the refusal, and how far the logits were
from torch's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import signal
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import onnxscript.function_libs.torch_lib.ops  # noqa: F401 - slow, and so once for all processes
import torch
from helpers.tiny_checkpoints import tiny_tokenizer
from transformers import CONFIG_MAPPING, MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.graph.attention import NODE
from sentiment_edge_export.graph.editor import count_nodes
from sentiment_edge_export.graph.session import trial_session
from sentiment_edge_export.options import ExportOptions, GateOptions, GraphOptions, Int8Options, SourceOptions
from sentiment_edge_export.pipeline import first_token_stats, trace_graph
from sentiment_edge_export.targets import find_target
from sentiment_edge_runtimes.batching import pad
from sentiment_edge_runtimes.errors import SentimentEdgeError, first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from onnxruntime import InferenceSession
    from transformers import PreTrainedModel

    from sentiment_edge_export.torch_classifier import TorchClassifier

MEMORY, SECONDS = 5 * 2**30, 240
"""Bounds on one export: bytes of address space, and seconds."""
TOLERANCE = 1e-4
VOCABULARY, LAYERS, HEADS, WIDTH, INNER, POSITIONS = 300, 2, 4, 32, 64, 40
_SIZES = (
    (VOCABULARY, "vocab_size"),
    (LAYERS, "num_hidden_layers n_layer n_layers num_layers encoder_layers decoder_layers num_decoder_layers"),
    (HEADS, "num_attention_heads n_head n_heads num_heads encoder_attention_heads decoder_attention_heads"),
    (2, "num_key_value_heads type_vocab_size num_experts num_local_experts n_routed_experts num_experts_per_tok top_k"),
    (WIDTH, "hidden_size embedding_size emb_dim d_model n_embd dim d_embed word_embed_proj_dim"),
    (INNER, "intermediate_size d_ff hidden_dim ffn_dim encoder_ffn_dim decoder_ffn_dim d_inner n_inner dff"),
    (WIDTH // HEADS, "head_dim d_kv"),
    (POSITIONS, "max_position_embeddings n_positions n_ctx max_seq_len"),
)
"""A model's sizes by the names that configs have for them; each takes those that it knows."""
_OWN: dict[str, dict[str, Any]] = {
    "deberta": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "modernbert": {"num_hidden_layers": 4, "local_attention": 8},
    "esmc": {"num_key_value_heads": HEADS},
    "luke": {"entity_vocab_size": 50, "entity_emb_size": WIDTH},
    "perceiver": {"num_latents": 8, "d_latents": WIDTH, "num_blocks": 1, "num_self_attends_per_block": LAYERS},
    "reformer": {"axial_pos_embds": False, "hidden_size": WIDTH},
    "roc_bert": {"pronunciation_vocab_size": 50, "shape_vocab_size": 50},
    "xmod": {"default_language": "en_XX"},
    "mobilebert": {"embedding_size": 16, "intra_bottleneck_size": 32, "num_feedforward_networks": 2},
}
"""What a type needs besides, to be built or to be itself."""

_LONGEST = 128
"""The most tokens of a text that is tried."""
_LARGEST = 40_000_000
"""The most parameters of a model that is tried: some configs cannot be made small by these names."""
_HEAD = """\
# Architectures

Every architecture that transformers {transformers} has a sequence classifier for, as a tiny model of random weights, exported
in fp32 for ONNX Runtime: `PYTHONPATH=tests python -m tools.architectures --write docs/architectures.md`.

- **fused**: each attention is one node. **in parts**: it computes more than softmax(QK + mask)V, or transformers does not offer
  it to be replaced; the answers are the same.
- **difference**: the largest of a logit from torch's, over texts alone, in mixed batches and padded.
- **packed**: texts of different lengths share a batch. **unpadded**: the answer depends on padding, so only texts of one
  length do.
- **not built**: no tiny model of it can be made here.

| model_type | outcome | difference | remark |
|---|---|---|---|"""


class Outcome(NamedTuple):
    """What came of one architecture."""

    kind: str
    """fused, in parts, refused, wrong, or not built"""
    remark: str
    difference: float | None = None
    """The largest difference of a logit from torch's: one by one, in mixed batches, padded."""


def main() -> None:
    """Try them, print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=list(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES))
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    rows = []
    for model_type in sorted(arguments.only):
        outcome = _in_a_process(model_type)
        rows.append((model_type, outcome))
        print(_row(model_type, outcome), flush=True)
    if arguments.write is not None:
        lines = [_HEAD.format(transformers=version("transformers")), *(_row(*row) for row in rows)]
        arguments.write.write_text("\n".join(lines) + "\n", "utf-8")


def _row(model_type: str, outcome: Outcome) -> str:
    difference = "" if outcome.difference is None else f"{outcome.difference:.1e}"
    return f"| `{model_type}` | {outcome.kind} | {difference} | {outcome.remark} |"


def _in_a_process(model_type: str) -> Outcome:
    """Try one architecture in a process of its own, which may be killed."""
    here, there = multiprocessing.get_context("fork").Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_child, args=(model_type, there))
    process.start()
    there.close()
    try:
        outcome: Outcome = here.recv()
    except EOFError:
        process.join()
        outcome = Outcome("killed", f"by signal {-(process.exitcode or 0)}, within {MEMORY >> 30} GiB and {SECONDS} s")
    process.join()
    return outcome


def _child(model_type: str, results: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.alarm(SECONDS)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    with tempfile.TemporaryDirectory() as folder:
        results.send(_try(model_type, Path(folder)))


def _try(model_type: str, folder: Path) -> Outcome:
    checkpoint = folder / "checkpoint"
    try:
        model = _tiny(model_type)
        model.save_pretrained(checkpoint)
    except Exception as error:  # noqa: BLE001 - whatever a config of these sizes does
        return Outcome("not built", f"{type(error).__name__}: {first_line(error)}"[:200])
    tiny_tokenizer().save(str(checkpoint / "tokenizer.json"))
    try:
        return _exported(checkpoint)
    except SentimentEdgeError as error:
        return Outcome("refused", str(error).replace(f"{checkpoint}: ", "").replace(str(checkpoint), "it"))
    except Exception as error:  # noqa: BLE001 - a fault of ours, for the table to show
        return Outcome("fault", f"{type(error).__name__}: {first_line(error)}"[:300])


def _exported(checkpoint: Path) -> Outcome:
    """Export a checkpoint as `export_model` does, but hold it against torch over a few batches only."""
    options = ExportOptions("fp32", ("onnxruntime",), SourceOptions(), GraphOptions(), Int8Options(), GateOptions())
    classifier = load_classifier(find_checkpoint(str(checkpoint), options.source), options)
    form = classifier.make_form(True)  # noqa: FBT003 - as `TorchClassifier` has it
    graph = trace_graph(classifier, form, find_target("onnxruntime"), options)
    first_token_stats(graph, {})
    with trial_session(graph) as session:
        difference = max(_difference(classifier, session, counts) for counts in _batches(classifier))
    nodes = count_nodes(graph)[NODE]
    kind = f"fused, {nodes} nodes" if nodes else "in parts"
    return Outcome("wrong" if difference > TOLERANCE else kind, classifier.padding, difference)


def _batches(classifier: TorchClassifier) -> list[list[int]]:
    """Return the numbers of tokens of the texts of each batch: alone and, unless the model is never padded, mixed."""
    longest = min(classifier.max_length, _LONGEST)
    alone = [[3], [8], [longest], [13, 13]]
    return alone if classifier.padding == "unpadded" else [*alone, [3, 8, 17], [longest, 5], [20, 19, 4]]


def _difference(classifier: TorchClassifier, session: InferenceSession, counts: Sequence[int]) -> float:
    """Return the largest difference of a logit from torch's, of random texts padded to 2 tokens more than the longest."""
    length = max(counts) if classifier.padding == "unpadded" else min(max(counts) + 2, classifier.max_length)
    texts = [torch.randint(4, 22, (count,)) for count in counts]
    ids, mask = pad([text.tolist() for text in texts], length, classifier.pad_id)
    (logits,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    expected = torch.stack([classifier.reference(text) for text in texts]).numpy()
    return float(np.nan_to_num(np.abs(logits - expected), nan=np.inf).max())


def _tiny(model_type: str) -> PreTrainedModel:
    """Build a classifier whose answers differ between texts."""
    torch.manual_seed(0)
    kind = CONFIG_MAPPING[model_type]
    known = {*kind().to_dict(), *getattr(kind, "attribute_map", {})}
    sizes = {name: size for size, names in _SIZES for name in names.split() if name in known}
    config = kind(**{**sizes, "pad_token_id": 0, "num_labels": 2, **_OWN.get(model_type, {})})
    model: PreTrainedModel = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)](config)  # type: ignore[operator]
    if sum(parameter.numel() for parameter in model.parameters()) > _LARGEST:
        raise ValueError("not tiny")
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.25)
            else:
                parameter.add_(0.1 * torch.randn_like(parameter))
    model.train(mode=False)
    return model


if __name__ == "__main__":
    main()
