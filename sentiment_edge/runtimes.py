"""The runtime by one name: what `sentiment_edge` offers, and its parts for who builds on them.

A name is imported when it is first asked for: `load` needs neither an engine's library before it opens a bundle, nor ever what
verifies one.
"""

import importlib as _importlib
import typing as _typing

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
    from sentiment_edge_runtimes.machine.threads import usable_cpus
    from sentiment_edge_runtimes.prediction import Explanation, FailedPrediction, Prediction, TokenWeight
    from sentiment_edge_runtimes.progress import Progress
    from sentiment_edge_runtimes.verification import Verification, verify
    from sentiment_edge_runtimes.vocabulary import ENGINES

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

_ELSEWHERE = {
    "ENGINES": "vocabulary",
    "Bundle": "bundle",
    "Classifier": "classifier",
    "Engine": "engines.engine",
    "Explanation": "prediction",
    "FailedPrediction": "prediction",
    "Manifest": "bundle",
    "Outputs": "engines.engine",
    "Prediction": "prediction",
    "Progress": "progress",
    "TokenWeight": "prediction",
    "Verification": "verification",
    "load": "classifier",
    "open_engine": "engines.loader",
    "usable_cpus": "machine.threads",
    "verify": "verification",
}
"""The module of each name but the errors."""


def __getattr__(name: str) -> object:
    """Import a public name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_importlib.import_module(f"sentiment_edge_runtimes.{_ELSEWHERE.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what can be imported."""
    return [*__all__]
