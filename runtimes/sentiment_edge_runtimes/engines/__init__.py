"""Engines, which execute bundles: one module for each, and the choice between them.

An engine's module is imported when it is first asked for, by a statement: programs that freeze apps find modules by those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from sentiment_edge_runtimes.vocabulary import EngineName

__all__ = ["MODULES"]


def _onnxruntime() -> ModuleType:
    import sentiment_edge_runtimes.engines.onnxruntime as module  # noqa: PLC0415 - `from` would hide which is missing

    return module


def _openvino() -> ModuleType:
    import sentiment_edge_runtimes.engines.openvino as module  # noqa: PLC0415 - as above

    return module


MODULES: Mapping[EngineName, Callable[[], ModuleType]] = {"onnxruntime": _onnxruntime, "openvino": _openvino}
"""The import of each engine's module, and with it of its library."""
