"""The runtime by one name: what `sentiment_edge` offers, and its parts for who builds on them.

A name is imported when it is first asked for: `load` needs neither an engine's library before it opens a bundle, nor ever what
verifies one.
"""

import types as _types
import typing as _typing

from sentiment_edge_runtimes.vocabulary import ENGINES

if _typing.TYPE_CHECKING:
    from sentiment_edge_runtimes.bundle import Bundle, Manifest
    from sentiment_edge_runtimes.classifier import Classifier, load
    from sentiment_edge_runtimes.engines.engine import Engine, Outputs
    from sentiment_edge_runtimes.engines.loader import open_engine
    from sentiment_edge_runtimes.errors import (
        BundleDamaged,
        BundleError,
        BundleInvalid,
        BundleMissing,
        BundleTooNew,
        EngineError,
        InputError,
        OptionError,
        SentimentEdgeError,
        TextError,
    )
    from sentiment_edge_runtimes.labeller import Labeller
    from sentiment_edge_runtimes.machine.threads import usable_cpus
    from sentiment_edge_runtimes.prediction import Explanation, FailedPrediction, Prediction, TokenWeight
    from sentiment_edge_runtimes.progress import Progress
    from sentiment_edge_runtimes.verification import Verification, verify

__all__ = [
    "ENGINES",
    "Bundle",
    "BundleDamaged",
    "BundleError",
    "BundleInvalid",
    "BundleMissing",
    "BundleTooNew",
    "Classifier",
    "Engine",
    "EngineError",
    "Explanation",
    "FailedPrediction",
    "InputError",
    "Labeller",
    "Manifest",
    "OptionError",
    "Outputs",
    "Prediction",
    "Progress",
    "SentimentEdgeError",
    "TextError",
    "TokenWeight",
    "Verification",
    "load",
    "open_engine",
    "usable_cpus",
    "verify",
]


def _module_of(name: str) -> _types.ModuleType:
    """Import the module of a public name, by a statement: Nuitka and others that freeze apps find modules by nothing else."""
    module: _types.ModuleType
    match name:
        case "Classifier" | "load":
            from sentiment_edge_runtimes import classifier

            module = classifier
        case "Labeller":
            from sentiment_edge_runtimes import labeller

            module = labeller
        case "Verification" | "verify":
            from sentiment_edge_runtimes import verification

            module = verification
        case "Bundle" | "Manifest":
            from sentiment_edge_runtimes import bundle

            module = bundle
        case "Engine" | "Outputs":
            from sentiment_edge_runtimes.engines import engine

            module = engine
        case "open_engine":
            from sentiment_edge_runtimes.engines import loader

            module = loader
        case "Explanation" | "FailedPrediction" | "Prediction" | "TokenWeight":
            from sentiment_edge_runtimes import prediction

            module = prediction
        case "usable_cpus":
            from sentiment_edge_runtimes.machine import threads

            module = threads
        case "Progress":
            from sentiment_edge_runtimes import progress

            module = progress
        case _:
            from sentiment_edge_runtimes import errors

            module = errors
    return module


def __getattr__(name: str) -> object:
    """Import a public name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_module_of(name), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what can be imported."""
    return [*__all__]
