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
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import onnxscript.function_libs.torch_lib.ops  # noqa: F401 - slow, and so once for all processes
import torch
from helpers.tiny_checkpoints import tiny_tokenizer
from helpers.tiny_encoders import liven
from transformers import CONFIG_MAPPING, MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

from sentiment_edge_export.checkpoints.checkpoint import find_checkpoint
from sentiment_edge_export.families import load_classifier
from sentiment_edge_export.families.unsupported import check_is_encoder
from sentiment_edge_export.graph.attention import NODE
from sentiment_edge_export.graph.editor import count_nodes
from sentiment_edge_export.graph.session import trial_session
from sentiment_edge_export.options import ExportOptions, GateOptions, GraphOptions, Int8Options, SourceOptions
from sentiment_edge_export.pipeline import first_token_stats, trace_graph
from sentiment_edge_export.targets import find_target
from sentiment_edge_runtimes.batching import pad
from sentiment_edge_runtimes.errors import SentimentEdgeError, first_line
from tools.known_checkpoints import KNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from onnxruntime import InferenceSession
    from transformers import PretrainedConfig, PreTrainedModel

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
    "gpt_neo": {"attention_types": [[["global"], LAYERS]]},
    "layoutlmv3": {"coordinate_size": 6, "shape_size": 4},
    "lilt": {"hidden_size": 48},
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

Look for the `model_type` in your checkpoint's config.json. BERT, RoBERTa, XLM-R, DistilBERT, ELECTRA, DeBERTa, ALBERT, MPNet and ModernBERT,
which most classifiers of sentiment are made of, are exported; GPT-2, Llama, Qwen and T5 are refused.

The tables have every architecture for which transformers {transformers} has a sequence classifier. Each was tried as a tiny model of random
weights, exported in fp32 and run in ONNX Runtime {onnxruntime} beside torch {torch}
(`PYTHONPATH=tests python -m tools.architectures --write docs/architectures.md`). The export of your checkpoint measures the same on real
texts, and also compares its tokens; see [Export](export.md) and [Parity and int8](parity-and-int8.md).
"""  # noqa: E501 - a page's text
_EXPORTED = """
## Exported: {count}

- **Attention**: *fused*, one node of ONNX Runtime for each layer, which is faster; or *in parts*, with the same answers, where it computes
  more than softmax(QK + mask)V, or where transformers does not let it be replaced.
- **Batches**: *padded*, texts of different lengths share a batch; or *unpadded*, where padding would change the answers, so that only
  texts with the same number of tokens do.
- **Difference**: the largest of a logit from torch's, of texts alone, padded and in mixed batches.

Models that also read a page's layout (`layoutlm`, `layoutlmv3`, `lilt`, `markuplm`), a table (`tapas`) or entities (`luke`) are given the
text alone.

| model_type | checkpoints, for example | attention | batches | difference |
|---|---|---|---|---|
"""  # noqa: E501
_REFUSED = """
## Refused: {count}

The export says so in one line, before it builds the model. Unless the reason tells what to do: fine-tune an encoder of the table above.

| model_type | checkpoints, for example | reason |
|---|---|---|
"""  # noqa: E501
_NEITHER = """
## Neither: {count}

| model_type | checkpoints, for example | outcome |
|---|---|---|
"""


class Outcome(NamedTuple):
    """What came of one architecture."""

    kind: str
    """fused, in parts, refused, wrong, fault, killed or not built"""
    remark: str
    """padded or unpadded; else why"""
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
        arguments.write.write_text(_page(rows), "utf-8")


def _page(rows: Sequence[tuple[str, Outcome]]) -> str:
    """Return the page: what is exported, what is refused, and whatever else came out."""
    parts = {_EXPORTED: ["fused", "in parts"], _REFUSED: ["refused"]}
    page = _HEAD.format(**{name: version(name) for name in ("transformers", "onnxruntime", "torch")})
    for head, kinds in (*parts.items(), (_NEITHER, sorted({outcome.kind for _, outcome in rows} - {*chain(*parts.values())}))):
        if lines := [_row(*row) for row in rows if row[1].kind in kinds]:
            page += "\n".join([head.format(count=len(lines)).rstrip(), *lines]) + "\n"
    return page


def _row(model_type: str, outcome: Outcome) -> str:
    kind, remark, difference = outcome
    known = KNOWN.get(model_type, "")
    if kind in {"fused", "in parts"}:
        return f"| `{model_type}` | {known} | {kind} | {remark} | {difference:.1e} |"
    return f"| `{model_type}` | {known} | {remark if kind == 'refused' else f'{kind}: {remark}'} |"


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
        config = _config(model_type)
        check_is_encoder(checkpoint, config.to_dict())  # some that are refused cannot be made small by these names
        _tiny(config).save_pretrained(checkpoint)
    except SentimentEdgeError as error:
        return _refused(error, checkpoint)
    except Exception as error:  # noqa: BLE001 - whatever a config of these sizes does
        return Outcome("not built", f"{type(error).__name__}: {first_line(error)}"[:200])
    tiny_tokenizer().save(str(checkpoint / "tokenizer.json"))
    try:
        return _exported(checkpoint)
    except SentimentEdgeError as error:
        return _refused(error, checkpoint)
    except Exception as error:  # noqa: BLE001 - a fault of ours, for the table to show
        return Outcome("fault", f"{type(error).__name__}: {first_line(error)}"[:300])


def _refused(error: SentimentEdgeError, checkpoint: Path) -> Outcome:
    reason = str(error).replace(f"{checkpoint}: ", "").replace(str(checkpoint), "it")
    return Outcome("refused", reason.partition("; export a classifier on ")[0])


def _exported(checkpoint: Path) -> Outcome:
    """Export a checkpoint as `export_model` does, but hold it against torch over a few batches only."""
    options = ExportOptions("fp32", ("onnxruntime",), SourceOptions(), GraphOptions(), Int8Options(), GateOptions())
    classifier = load_classifier(find_checkpoint(str(checkpoint), options.source), options)
    form = classifier.make_form(True)  # noqa: FBT003 - as `TorchClassifier` has it
    graph = trace_graph(classifier, form, find_target("onnxruntime"), options)
    first_token_stats(graph, {})
    with trial_session(graph) as session:
        difference = max(_difference(classifier, session, counts) for counts in _batches(classifier))
    if difference > TOLERANCE:
        return Outcome("wrong", f"a logit is {difference:.1e} away from torch's")
    batches = "unpadded" if classifier.padding == "unpadded" else "padded"
    return Outcome("fused" if count_nodes(graph)[NODE] else "in parts", batches, difference)


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


def _config(model_type: str) -> PretrainedConfig:
    kind = CONFIG_MAPPING[model_type]
    known = {*kind().to_dict(), *getattr(kind, "attribute_map", {})}
    sizes = {name: size for size, names in _SIZES for name in names.split() if name in known}
    config: PretrainedConfig = kind(**{**sizes, "pad_token_id": 0, "num_labels": 2, **_OWN.get(model_type, {})})
    return config


def _tiny(config: PretrainedConfig) -> PreTrainedModel:
    """Build a classifier whose answers differ between texts."""
    torch.manual_seed(0)
    model: PreTrainedModel = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)](config)  # type: ignore[operator]
    if sum(parameter.numel() for parameter in model.parameters()) > _LARGEST:
        raise ValueError("not tiny")
    liven(model)
    model.train(mode=False)
    return model


if __name__ == "__main__":
    main()
