"""Trained sentiment classifiers, small and fast on any CPU, with torch's answers and without torch.

from sentiment_edge import load

classifier = load("electra-large-int8")  # or load() for the built-in default
classifier("I love this restaurant!")  # Prediction(label='positive', score=0.98, ...)
"""

from sentiment_edge_runtimes.classifier import Classifier, load
from sentiment_edge_runtimes.errors import (
    BundleDamaged,
    BundleError,
    BundleInvalid,
    BundleMissing,
    BundleTooNew,
    EngineError,
    InputError,
    SentimentEdgeError,
)
from sentiment_edge_runtimes.prediction import Explanation, Prediction, TokenWeight
from sentiment_edge_runtimes.verification import Verification, verify

__all__ = [
    "BundleDamaged",
    "BundleError",
    "BundleInvalid",
    "BundleMissing",
    "BundleTooNew",
    "Classifier",
    "EngineError",
    "Explanation",
    "InputError",
    "Prediction",
    "SentimentEdgeError",
    "TokenWeight",
    "Verification",
    "load",
    "verify",
]
