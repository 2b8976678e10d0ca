"""Models of transformers that are not an encoder with a sequence classifier: each is named, with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
)

from sentiment_edge_export.errors import CheckpointError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_HEADS = {
    "ForTokenClassification": "it labels tokens, not texts",
    "ForQuestionAnswering": "it finds answers in a passage",
    "ForMultipleChoice": "it chooses among given answers",
    "ForNextSentencePrediction": "it tells whether one sentence follows another",
    "ForMaskedLM": "it fills in masked words",
    "ForPreTraining": "it is pretrained only",
    "ForCausalLM": "it writes text",
    "LMHeadModel": "it writes text",
    "ForConditionalGeneration": "it writes text",
    "ForSequenceToSequence": "it writes text",
    "ForImageClassification": "it classifies images",
    "ForAudioClassification": "it classifies sound",
    "ForVideoClassification": "it classifies videos",
    "Model": "it is pretrained only",
}
"""Purposes of the classes of transformers, by the ends of their names."""
_ENCODERS = "a classifier on an encoder, such as BERT, RoBERTa or ModernBERT"
_PERMUTED = ("xlnet",)
"""Encoders that transformers lists as writers of text only."""
_OTHERS = {
    "longformer": "Longformer cuts a text into windows, as many as it has tokens for, which a graph cannot express",
    "funnel": "Funnel shortens a text by steps that depend on its length, which a graph cannot express",
    "nystromformer": "Nyströmformer takes texts only at one length, which its config fixes, padding included",
    "reformer": "Reformer sorts a long text's tokens into random buckets, so its answers vary",
    "canine": "Canine reads characters and has no tokenizer",
    "perceiver": "Perceiver reads bytes and has no tokenizer",
    "layoutlmv2": "LayoutLMv2 reads the page's image, which a text does not have",
}
"""Encoders that cannot be exported, and why."""


def explain_head(name: str) -> str | None:
    """Return what a class of transformers does instead of classifying texts; None if that is not known."""
    return next((does for end, does in _HEADS.items() if name.endswith(end)), None)


def check_is_encoder(folder: Path, stated: Mapping[str, Any]) -> None:
    """Check that a config, of a model_type of transformers, is of an encoder whose classifier can be exported.

    Raises:
        CheckpointError: it is not; the message says why.
    """
    kind = str(stated.get("model_type"))
    if kind in _OTHERS:
        raise CheckpointError(f"{folder}: {_OTHERS[kind]}; export {_ENCODERS}")
    if kind in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES or stated.get("is_encoder_decoder"):
        problem = f"{shown(kind)} is an encoder with a decoder, whose classifier reads the decoder's last token"
        raise CheckpointError(f"{folder}: {problem}; export {_ENCODERS}")
    masked = kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES or kind in _PERMUTED
    writes = kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    if writes and (not masked or stated.get("is_decoder")):
        problem = f"{shown(kind)} is a decoder here: each token sees only those before it, and the classifier reads the last"
        raise CheckpointError(f"{folder}: {problem}; export {_ENCODERS}")
    if stated.get("vision_config"):
        raise CheckpointError(f"{folder}: {shown(kind)} reads images and their texts, not texts alone; export {_ENCODERS}")
    if advice := _missing_choice(kind, stated):
        raise CheckpointError(f"{folder}: {advice}")
    if kind not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES:  # the config of another may fetch from the Hub
        raise CheckpointError(f"{folder}: transformers has no encoder for sequences of model_type {kind}")


def _missing_choice(kind: str, stated: Mapping[str, Any]) -> str | None:
    """Return what a config should say for its model to be exported; None if it is complete."""
    if kind == "big_bird" and stated.get("attention_type", "block_sparse") != "original_full":
        block, random = stated.get("block_size", 64), stated.get("num_random_blocks", 3)
        full = (5 + 2 * random) * block if type(block) is type(random) is int else 0  # below, transformers takes full attention
        advice = 'say "attention_type": "original_full" in config.json, which is the same for texts of up to'
        return f"BigBird's block sparse attention draws some of its blocks at random; {advice} {full} tokens"
    if kind == "xmod" and not stated.get("default_language"):
        return 'X-MOD has a part for each language; say which by "default_language" in config.json, such as "en_XX"'
    return None
