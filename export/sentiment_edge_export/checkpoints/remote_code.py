"""Checkpoints that are Python code, by `auto_map`: transformers would run it, this export never does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentiment_edge_export.errors import CheckpointError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_KERNELS = ("attn_implementation", "experts_implementation")
"""Parts of keys that name an implementation; that may be kernels on the Hub, which are code."""


def check_needs_no_code(path: Path, stated: Mapping[str, Any], auto_class: str, is_known: Callable[[str], bool]) -> None:
    """Check that transformers itself has the classes that a config maps an auto class to.

    Args:
        path: the config's file.
        stated: its contents.
        auto_class: a class of transformers such as AutoTokenizer.
        is_known: whether transformers has a class of a name.

    Raises:
        CheckpointError: one of the classes is code beside the checkpoint or on the Hub.
    """
    mapped = stated.get("auto_map")
    if isinstance(mapped, dict):
        mapped = mapped.get(auto_class)
    for name in mapped if isinstance(mapped, list) else [mapped]:  # a tokenizer has a slow and a fast class
        if isinstance(name, str) and not is_known(name.rpartition(".")[2]):
            problem = f"needs Python code ({shown(name)} for {auto_class}), which an export never runs"
            advice = "; give the tokenizer as a tokenizer.json by `tokenizer`" if auto_class == "AutoTokenizer" else ""
            raise CheckpointError(f"{path}: {problem}{advice}")


def without_kernels(stated: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a config without the implementations that it asks for, in its parts too; what is traced has its own."""
    if isinstance(stated, dict):
        return {key: without_kernels(value) for key, value in stated.items() if not any(part in key for part in _KERNELS)}
    return [without_kernels(value) for value in stated] if isinstance(stated, list) else stated
