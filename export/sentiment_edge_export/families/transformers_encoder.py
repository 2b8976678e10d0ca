"""Shared code of the families built on models of transformers: loading, and the forms to trace."""

from __future__ import annotations

import logging
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import torch
from optimum.utils import NormalizedConfigManager, NormalizedTextConfig
from torch import nn
from transformers import CONFIG_MAPPING, PreTrainedModel
from transformers.activations import GELUActivation
from transformers.utils import logging as transformers_logging

from sentiment_edge_export.checkpoints.remote_code import without_kernels
from sentiment_edge_export.checkpoints.weights import check_problems
from sentiment_edge_export.errors import CheckpointError
from sentiment_edge_export.families.heads import check_has_head, reads_pairs
from sentiment_edge_export.families.padding import UNPADDED_NOTE, find_padding
from sentiment_edge_export.families.positions import find_positions
from sentiment_edge_export.families.stated_sizes import check_counts, check_numbers
from sentiment_edge_export.families.unsupported import check_is_encoder
from sentiment_edge_export.graph.attention import NODE, fused_twin, shared_copy
from sentiment_edge_export.torch_classifier import TorchClassifier, TracedForm, lengths_up_to
from sentiment_edge_runtimes.errors import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor
    from transformers import PretrainedConfig

    from sentiment_edge_export.checkpoints.checkpoint import Checkpoint
    from sentiment_edge_runtimes.vocabulary import Activation

_SHORT_LENGTHS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448)
_LENGTHS = (*_SHORT_LENGTHS, 512, 640, 768, 1024, 1280, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768)
_OFTEN_LEFT_OVER = re.compile(
    r"(^|\.)(pooler|position_ids|lm_head|cls\.predictions|cls\.seq_relationship|discriminator_predictions)(\.|$)"
)
"""Parts of the names of unused tensors that are often left over from training another head."""
_OLD_NAMES = (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias"))

ENCODER_OPTIONS: tuple[str, ...] = ("fusion", "calibration")
"""The options that these families take and some other family does not."""


def read_config(checkpoint: Checkpoint) -> PretrainedConfig:
    """Return transformers' config object for the checkpoint's config.json.

    Raises:
        CheckpointError: transformers does not know its model_type, or refuses it; or it asks for more than the weights have.
    """
    # Neither entry changes the logits.
    stated = {**without_kernels(checkpoint.config), "return_dict": True, "chunk_size_feed_forward": 0}
    kind = str(stated.get("model_type"))
    if kind not in CONFIG_MAPPING:
        code = "; the model's own code (auto_map in config.json) is never run" if stated.get("auto_map") else ""
        raise CheckpointError(f"{checkpoint.folder}: transformers knows no model_type {kind!r:.60}{code}")
    check_is_encoder(checkpoint.folder, stated)
    check_counts(checkpoint.folder, stated, len(checkpoint.weights))
    try:
        with _quiet_transformers():
            config: PretrainedConfig = CONFIG_MAPPING[kind].from_dict(stated)
    except Exception as error:  # each config checks in its own way
        raise CheckpointError(f"{checkpoint.folder}: transformers refuses config.json ({first_line(error)})") from error
    return config


def is_sigmoid(checkpoint: Checkpoint, config: PretrainedConfig) -> bool:
    """Return whether each output was trained as a label of its own, by transformers' rules.

    Raises:
        CheckpointError: the model is a regression, or its problem_type is unknown.
    """
    if config.problem_type == "regression" or (config.num_labels == 1 and config.problem_type is None):
        if reads_pairs(checkpoint.config):
            problem = "a CrossEncoder, which scores how well two texts fit; it has no classes of one text"
            raise CheckpointError(f"{checkpoint.folder}: {problem}; export a classifier of single texts")
        raise CheckpointError(
            f"{checkpoint.folder}: a regression, which has no classes; if its one output was trained with a sigmoid, "
            'say "problem_type": "multi_label_classification" in config.json'
        )
    if config.problem_type not in (None, "single_label_classification", "multi_label_classification"):
        raise CheckpointError(f"{checkpoint.folder}: config.json says problem_type {config.problem_type!r}, which is unknown")
    return bool(config.problem_type == "multi_label_classification")


def load_weights(
    checkpoint: Checkpoint, model: type[PreTrainedModel], config: PretrainedConfig, weights: Mapping[str, Tensor]
) -> PreTrainedModel:
    """Build a model of transformers around the tensors, with eager attention.

    Raises:
        CheckpointError: a tensor is missing, unexpected, or does not have the shape that the config requires.
    """
    with _quiet_transformers():
        try:
            check_numbers(checkpoint.folder, lambda: model(config), weights)
            loaded, report = cast("Any", model).from_pretrained(
                None,
                config=config,
                state_dict=dict(weights),
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # so that the report names them
                attn_implementation="eager",
                dtype=torch.float32,
                local_files_only=True,
                trust_remote_code=False,
            )
        except CheckpointError:
            raise
        except Exception as error:  # a config may contradict itself in any way
            raise CheckpointError(f"{checkpoint.folder}: transformers cannot build the model ({first_line(error)})") from error
    check_has_head(checkpoint.folder, model.base_model_prefix, loaded.state_dict(), report["missing_keys"])
    problems = {
        "missing": sorted(report["missing_keys"]),
        "unexpected": sorted(name for name in report["unexpected_keys"] if not _OFTEN_LEFT_OVER.search(name)),
        "wrongly shaped": [
            f"{name} {list(found)} instead of {list(expected)}" for name, found, expected in sorted(report["mismatched_keys"])
        ],
    }
    problems["not floating point"] = [
        name for name, tensor in weights.items() if not tensor.is_floating_point() and not name.endswith("_ids")
    ]
    problems["there twice"] = [
        name for name in weights for old, new in _OLD_NAMES if name.endswith(old) and name.replace(old, new) in weights
    ]
    check_problems(checkpoint.folder, problems)
    built: PreTrainedModel = loaded.eval().requires_grad_(requires_grad=False)
    return built


@dataclass(frozen=True)
class OutputClasses:
    """The classes that a model predicts."""

    labels: tuple[str, ...]
    activation: Activation
    notes: tuple[str, ...] = ()
    """Remarks for the user, a sentence each."""


def make_classifier(
    checkpoint: Checkpoint, config: PretrainedConfig, module: nn.Module, family: str, classes: OutputClasses
) -> TorchClassifier:
    """Make a classifier of a module that maps ids and mask to logits.

    Raises:
        CheckpointError: its positions or its tokenizer do not fit it, or it does not run.
    """
    positions = find_positions(checkpoint, config, module)
    _add_copies(module, config, checkpoint.tokenizer.copies)
    checkpoint.tokenizer.check(config.vocab_size, positions.usable)
    example = torch.full((2, min(8, positions.usable)), config.vocab_size - 1)
    try:
        promised = _count_calls(shared_copy(module), example)
        with _quiet_transformers():
            padding = find_padding(checkpoint.tokenizer, shared_copy(module), positions)
    except CheckpointError:
        raise
    except Exception as error:  # whatever the architecture does with what the config says
        raise CheckpointError(f"{checkpoint.folder}: the model does not run ({first_line(error)})") from error
    lengths = lengths_up_to(positions.usable, () if padding == "unpadded" else _LENGTHS)
    in_parts = TracedForm(module, lengths, promised)
    return TorchClassifier(
        family=family,
        reference=_Reference(module),
        make_form=lambda fused: _fuse(checkpoint, config, in_parts, example) if fused else in_parts,
        outputs=("logits",),
        labels=classes.labels,
        activation=classes.activation,
        max_length=positions.usable,
        pad_id=positions.pad_id,
        padding=padding,
        truncation="tokenizer",
        calibrated=True,
        attention_heads=_attention_heads(config),
        notes=(*classes.notes, *([UNPADDED_NOTE] if padding == "unpadded" else [])),
    )


def _add_copies(module: nn.Module, config: PretrainedConfig, copies: Mapping[int, int]) -> None:
    """Give the model an embedding for each id of the tokenizer that stands for another token, by id."""
    if not copies:
        return
    backbone = next(part for part in module.modules() if isinstance(part, PreTrainedModel))
    table = cast("nn.Embedding", backbone.get_input_embeddings())
    if table.num_embeddings < min(copies):  # tokens before them have no embedding, which the tokenizer's check tells
        return
    rows = torch.arange(max(table.num_embeddings, 1 + max(copies)))
    rows[[*copies]] = torch.tensor([*copies.values()])
    weight = table.weight[rows]
    extended = nn.Embedding(len(weight), weight.shape[1], padding_idx=table.padding_idx, _weight=weight)
    backbone.set_input_embeddings(extended.requires_grad_(requires_grad=False))
    config.vocab_size = len(rows)


def _attention_heads(config: PretrainedConfig) -> int:
    heads = getattr(config, "num_attention_heads", None)  # by this name whatever config.json calls it; some have no attention
    return heads if type(heads) is int else 0


def _fuse(checkpoint: Checkpoint, config: PretrainedConfig, in_parts: TracedForm, example: Tensor) -> TracedForm:
    """Return the form with each attention as one node; the form in parts, with a note, if that is not possible."""
    try:
        twin = fused_twin(in_parts.module, example, in_parts.lengths[-1])
    except Exception as error:  # whatever the architecture does with what the config says
        raise CheckpointError(f"{checkpoint.folder}: the model does not run ({first_line(error)})") from error
    if twin is None and not _attention_heads(config):
        return in_parts
    if twin is None:
        note = f"the attention of a {config.model_type} model cannot be one node, so it is exported unfused"
        return replace(in_parts, notes=(note,))
    sizes = NormalizedConfigManager._conf.get(config.model_type, NormalizedTextConfig)(config)  # noqa: SLF001
    return replace(in_parts, module=twin, promised_nodes={**in_parts.promised_nodes, NODE: sizes.num_layers})


@dataclass(frozen=True)
class _Reference:
    """The original definition of one text's logits, which is transformers' own module with eager attention."""

    module: nn.Module

    @torch.no_grad()
    def __call__(self, token_ids: Tensor) -> Tensor:
        logits: Tensor = self.module(token_ids[None], torch.ones_like(token_ids)[None])[0]
        return logits


def _count_calls(module: nn.Module, example: Tensor) -> dict[str, int]:
    """Return the calls of layer normalization and Gelu that the logits depend on: each must become one node.

    LiLT's last layer also computes what nothing reads, and what no graph keeps. The module keeps hooks.
    """
    calls: list[tuple[str, Tensor]] = []
    for part in module.modules():
        if isinstance(part, nn.LayerNorm | GELUActivation | nn.GELU):

            def mark(part: nn.Module, _: object, output: Tensor) -> Tensor:
                zero = torch.zeros((), requires_grad=True)
                calls.append(("LayerNormalization" if isinstance(part, nn.LayerNorm) else "Gelu", zero))
                return output + zero

            part.register_forward_hook(mark)
    with torch.enable_grad(), _quiet_transformers():
        reached = _leaves(module(example, torch.ones_like(example)))
    return dict(Counter(kind for kind, zero in calls if zero in reached))


def _leaves(output: Tensor) -> set[Tensor]:
    """Return the tensors that an output was computed from, among those that a gradient is wanted for."""
    waiting, seen = [output.grad_fn], set()
    while waiting:
        step = waiting.pop()
        if step is not None and step not in seen:
            seen.add(step)
            waiting.extend(before for before, _ in step.next_functions)
    return {step.variable for step in seen if hasattr(step, "variable")}


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Silence transformers' progress bar and loading report; problems that they show become our errors."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.CRITICAL)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
