"""Adapters, such as LoRA's: small weights beside those of a base model, which a checkpoint of their own does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentiment_edge_export.checkpoints.files import matches, may_be_weights
from sentiment_edge_export.checkpoints.inspection import list_tensors
from sentiment_edge_export.checkpoints.json_file import read_json
from sentiment_edge_export.errors import CheckpointError, shown

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

ADAPTER_CONFIG = "adapter_config.json"
_WEIGHTS = ("adapter_model.*", "pytorch_adapter.bin", "adapter.safetensors")
_PROMPTS = ("PROMPT_TUNING", "PREFIX_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING", "ADAPTION_PROMPT", "CPT")
"""Kinds that add tokens or states to a text instead of changing weights."""
_HEAD = ("*.classifier.weight", "*.classifier.out_proj.weight", "*.score.weight", "*.logits_proj.weight")
"""The layers that give a class each; not `pre_classifier`, which DistilBERT has before."""
_DEFAULT_CLASSES = 2
_TOKENIZER = ("tokenizer.json", "vocab.*", "*.model")


def check_no_adapter(folder: Path, files: Collection[str], place: str) -> None:
    """Check that a folder, with files of these names, has no adapter: transformers would add it to whatever else is there.

    Args:
        folder: the folder.
        files: the names in it.
        place: its name in messages.

    Raises:
        CheckpointError: it has one; the message says how to merge it into its base.
    """
    if ADAPTER_CONFIG not in files and not any(matches(name, _WEIGHTS) for name in files):
        return
    stated = read_json(folder / ADAPTER_CONFIG)
    base = stated.get("base_model_name_or_path") or stated.get("model_name")
    of = shown(base) if isinstance(base, str) else "a base model"
    kind = stated.get("peft_type")
    what = f"an adapter ({shown(kind)}) for {of}" if isinstance(kind, str) else f"an adapter for {of}"
    if any(map(may_be_weights, files)):
        names = f"{ADAPTER_CONFIG} and its weights"
        raise CheckpointError(f"{place}: {what} beside whole weights; merge it into them, or remove {names} if that was done")
    raise CheckpointError(f"{place}: {what}, not a whole model; {_advice(folder, files, stated, place)}")


def _advice(folder: Path, files: Collection[str], stated: dict[str, Any], place: str) -> str:
    task = stated.get("task_type")
    if task not in (None, "SEQ_CLS"):
        return f"it was trained for {shown(task)}, which has no classes of texts"
    if stated and "peft_type" not in stated:
        return "it adds layers that cannot be merged into its base; fine-tune the whole model, or a LoRA adapter"
    if stated.get("peft_type") in _PROMPTS:
        return "it cannot be merged into its base; fine-tune the whole model, or a LoRA adapter"
    classes = _classes(folder, files)
    argument = "" if classes in (None, _DEFAULT_CLASSES) else f", num_labels={classes}"
    code = (
        "from peft import AutoPeftModelForSequenceClassification as Adapter",
        f"merged = Adapter.from_pretrained({place!r}{argument}).merge_and_unload()",
        'merged.save_pretrained("merged")',
    )
    owner = place if any(matches(name, _TOKENIZER) for name in files) else "its base's tokenizer.json"
    return f"merge it into its base first: {'; '.join(code)}; then export merged with `tokenizer` {owner}"


def _classes(folder: Path, files: Collection[str]) -> int | None:
    """Return the number of classes of the head that was trained with the adapter; None if that is not known."""
    for name in sorted(files):
        if matches(name, ("adapter_model.safetensors", "adapter_model.bin")):
            try:
                tensors = list_tensors(folder / name)
            except CheckpointError:
                continue
            heads = [tensor.shape[0] for tensor in tensors if tensor.shape and matches(tensor.name, _HEAD)]
            return heads[-1] if heads else None
    return None
