"""Trained sentiment classifiers, small and fast on any CPU, with torch's answers and without torch.

from sentiment_edge import load

classifier = load("electra-large-int8")  # or load() for the built-in default
classifier("I love this restaurant!")  # Prediction(label='positive', score=0.98)
"""

from importlib import import_module
from typing import TYPE_CHECKING

import sentiment_edge_runtimes  # noqa: F401 - before all others, so that no library reports

if TYPE_CHECKING:
    from sentiment_edge.runtimes import (
        BundleDamaged,
        BundleError,
        BundleInvalid,
        BundleMissing,
        BundleTooNew,
        Classifier,
        EngineError,
        Explanation,
        FailedPrediction,
        InputError,
        Labeller,
        OptionError,
        Prediction,
        SentimentEdgeError,
        TextError,
        TokenWeight,
        Verification,
        load,
        verify,
    )

__all__ = [
    "BundleDamaged",
    "BundleError",
    "BundleInvalid",
    "BundleMissing",
    "BundleTooNew",
    "Classifier",
    "EngineError",
    "Explanation",
    "FailedPrediction",
    "InputError",
    "Labeller",
    "OptionError",
    "Prediction",
    "SentimentEdgeError",
    "TextError",
    "TokenWeight",
    "Verification",
    "load",
    "verify",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that the command line starts without numpy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("sentiment_edge.runtimes"), name)
