"""The bundle on disk: a folder of data with a manifest, checksums and golden outputs. This package alone knows its format."""

from sentiment_edge_runtimes.bundle.checksums import format_checksums
from sentiment_edge_runtimes.bundle.contents import sha256
from sentiment_edge_runtimes.bundle.folder import CHECKSUMS, GOLDEN, MANIFEST, PARITY, TOKENIZER, Bundle, opening
from sentiment_edge_runtimes.bundle.manifest import (
    CARD,
    FORMAT_VERSION,
    Manifest,
    Source,
)
from sentiment_edge_runtimes.bundle.models import Fp32Weight, Interface, Recipe, SpecialTokens, Tensor

__all__ = [
    "CARD",
    "CHECKSUMS",
    "FORMAT_VERSION",
    "GOLDEN",
    "MANIFEST",
    "PARITY",
    "TOKENIZER",
    "Bundle",
    "Fp32Weight",
    "Interface",
    "Manifest",
    "Recipe",
    "Source",
    "SpecialTokens",
    "Tensor",
    "format_checksums",
    "opening",
    "sha256",
]
