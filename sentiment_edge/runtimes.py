"""The runtime by one name: what `sentiment_edge` offers, and its parts for who builds on them."""

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
