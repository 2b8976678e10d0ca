"""Opening a bundle for a classifier: its files checked, its tokenizer read, its engine's library imported."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.bundle import opening
from sentiment_edge_runtimes.bundle.packaged import unpacked
from sentiment_edge_runtimes.engines.loader import import_engine
from sentiment_edge_runtimes.engines.selection import foreseen
from sentiment_edge_runtimes.errors import EngineError
from sentiment_edge_runtimes.tokenization import TextTokenizer

if TYPE_CHECKING:
    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.vocabulary import EngineChoice


def open_parts(source: Bundle | Path, engine: EngineChoice, threads: int) -> tuple[Bundle, TextTokenizer]:
    """Return a bundle that may be open already, and its tokenizer.

    Of a folder, the files are checked while the engine's library is imported and the tokenizer is read.

    Raises:
        BundleError: the bundle is missing, damaged, malformed or too new.
        EngineError: the bundle has no model for this engine.
    """
    if not isinstance(source, Path):
        return _parts(source, engine, threads)
    with opening(unpacked(source)) as bundle:
        parts = _parts(bundle, engine, threads)
        with suppress(EngineError):  # said at first use
            name = foreseen(bundle, engine, threads)
            if name is not None:
                import_engine(name)
        return parts


def _parts(bundle: Bundle, engine: EngineChoice, threads: int) -> tuple[Bundle, TextTokenizer]:
    if engine != "auto":
        bundle.model_path(engine)  # a missing one is better named now than at first use
    return bundle, TextTokenizer(bundle, threads)
