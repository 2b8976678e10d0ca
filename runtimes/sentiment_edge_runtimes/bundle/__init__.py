"""The bundle on disk: a folder of data with a manifest, checksums and golden outputs. This package alone knows its format."""

from sentiment_edge_runtimes.bundle.folder import CARD, CHECKSUMS, GOLDEN, MANIFEST, PARITY, TOKENIZER, Bundle, sha256
from sentiment_edge_runtimes.bundle.manifest import (
    FORMAT_VERSION,
    LARGEST_BATCH,
    LONGEST,
    SHORTEST,
    Fp32Weight,
    Manifest,
    Recipe,
    Source,
)

__all__ = [
    "CARD",
    "CHECKSUMS",
    "FORMAT_VERSION",
    "GOLDEN",
    "LARGEST_BATCH",
    "LONGEST",
    "MANIFEST",
    "PARITY",
    "SHORTEST",
    "TOKENIZER",
    "Bundle",
    "Fp32Weight",
    "Manifest",
    "Recipe",
    "Source",
    "sha256",
]
