"""From texts to predictions: `load` a bundle, call the `Classifier`."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, overload

import numpy as np

from sentiment_edge_runtimes.batching import Batch, pad, plan
from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.engines.loader import open_engine
from sentiment_edge_runtimes.engines.selection import check_options, choose
from sentiment_edge_runtimes.errors import EngineError, InputError
from sentiment_edge_runtimes.machine.threads import usable_cpus
from sentiment_edge_runtimes.numerics import probabilities
from sentiment_edge_runtimes.prediction import Explanation, Prediction, TokenWeight
from sentiment_edge_runtimes.tokenization import TextTokenizer, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.engines.engine import Engine, Outputs
    from sentiment_edge_runtimes.vocabulary import EngineChoice, EngineName

DEFAULT_BUNDLE = Path(__file__).parent / "models" / "gru-mini-int8"
_STREAM_TEXTS = 1024
"""Texts that `stream` reads ahead: enough to find several of each length, which share a batch."""

_INHERITED: list[object] = []
"""Engines of the process that this one was forked from: to free them would wait for threads that a fork does not copy."""


def load(
    bundle: str | os.PathLike[str] | None = None, *, engine: EngineChoice = "auto", threads: int | None = None
) -> Classifier:
    """Open a bundle and return its classifier. Never touches the network.

    Args:
        bundle: the folder that an export wrote; by default the small English model that comes with this package.
        engine: the engine that executes the model; `auto` for the one that the environment variable `SENTIMENT_EDGE_ENGINE`
            names, by default the faster one of the bundle's that are installed here: timed once, then remembered.
        threads: CPU threads to use; by default one for each CPU that this process may really use.

    Raises:
        OptionError: there is no such engine, or `threads` is not a whole number of 1 or more.
        BundleError: the bundle is missing, damaged, malformed or too new.
        EngineError: the bundle has no model for this engine.
    """
    check_options(engine, threads)
    root = DEFAULT_BUNDLE if bundle is None else Path(bundle)
    return Classifier(Bundle.open(root), engine=engine, threads=threads)


class Classifier:
    """A bundle ready to use. Threads may share it; the engine starts at first use, in each process anew.

    Raises:
        OptionError: there is no such engine, or `threads` is not a whole number of 1 or more.
        EngineError: the bundle has no model for this engine.
    """

    def __init__(self, bundle: Bundle, *, engine: EngineChoice = "auto", threads: int | None = None) -> None:
        check_options(engine, threads)
        if engine != "auto":
            bundle.model_path(engine)  # a missing one is better named now than at first use
        self.bundle = bundle
        self._asked = engine
        self._chosen: EngineName | None = None
        self._threads = threads or usable_cpus()
        self._tokenizer = TextTokenizer(bundle, self._threads)
        self._lock = os.getpid(), RLock()
        self._engine: tuple[int, Engine] | None = None

    def __repr__(self) -> str:
        """Return the bundle's folder, its precision and labels, and the engine: `auto` while none has been chosen."""
        root, manifest = self.bundle.root, self.bundle.manifest
        engine = self._chosen or self._asked  # without choosing one, which takes time and may fail
        shown = f"precision={manifest.precision!r}, engine={engine!r}, labels={manifest.labels!r}"
        return f"{type(self).__name__}({root.name or str(root)!r}, {shown})"

    def __reduce__(self) -> tuple[Callable[[Bundle], Classifier], tuple[Bundle]]:
        """Pickle the arguments that it was made with: another process opens its own engine."""
        return partial(Classifier, engine=self._chosen or self._asked, threads=self._threads), (self.bundle,)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, by class index."""
        return self.bundle.manifest.labels

    @property
    def engine(self) -> EngineName:
        """The engine that executes the model; the first choice for a bundle on a machine may take a second.

        Raises:
            EngineError: none of the bundle's engines can run it here, or `SENTIMENT_EDGE_ENGINE` names none of them.
        """
        with self._own_lock():
            if self._chosen is None:
                self._chosen = choose(self.bundle, self._asked, self._threads).engine
            return self._chosen

    @overload
    def __call__(self, texts: str) -> Prediction: ...  # type: ignore[overload-overlap]  # a str is a sequence of str too

    @overload
    def __call__(self, texts: Iterable[str]) -> list[Prediction]: ...

    def __call__(self, texts: str | Iterable[str]) -> Prediction | list[Prediction]:
        """Predict the label of one text, or of each of several.

        Raises:
            InputError: an item is not a string.
            EngineError: the engine failed.
        """
        if isinstance(texts, str):
            return self._predict([texts])[0]
        return self._predict(_several(texts))

    def stream(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Predict the labels of any number of texts in order, in constant memory, reading a little ahead.

        Raises:
            InputError: an item is not a string.
            EngineError: the engine failed.
        """
        if isinstance(texts, str):
            raise InputError("stream() takes several texts; call the classifier for one")
        remaining = iter(texts)
        while chunk := list(islice(remaining, _STREAM_TEXTS)):
            yield from self._predict(chunk)

    def logits(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return the model's logits, float32 [texts, classes].

        Raises:
            InputError: an item is not a string.
            EngineError: the engine failed.
        """
        return self._logits(self._tokenizer.encode(_several(texts)))

    def explain(self, text: str) -> Explanation:
        """Return the prediction for a text, with the attention that each of its tokens got.

        Raises:
            InputError: the text is not a string.
            EngineError: the model has no attention output, or the engine failed.
        """
        encoding, truncated = self._tokenizer.encode_one(text)
        tokens = Tokens(encoding.ids, truncated)
        (batch,) = plan([len(tokens.ids)], self.bundle.manifest.lengths, self.bundle.manifest.batch)
        outputs = self._run(batch, [tokens])
        if outputs.attention is None:
            raise EngineError(f"{self.bundle.root}: a {self.bundle.manifest.family} model has no attention to show")
        weights = outputs.attention[0].tolist()
        rows = zip(encoding.tokens, weights, encoding.offsets, strict=False)  # weights of padding come last
        explained = tuple(TokenWeight(token, weight, *span) for token, weight, span in rows)
        return Explanation(
            text, self._prediction(probabilities(outputs.logits, self.bundle.manifest.activation)[0], tokens), explained
        )

    def _predict(self, texts: Sequence[str]) -> list[Prediction]:
        tokens = self._tokenizer.encode(texts)
        scores = probabilities(self._logits(tokens), self.bundle.manifest.activation)
        return [self._prediction(row, text) for row, text in zip(scores, tokens, strict=True)]

    def _prediction(self, scores: NDArray[np.float64], tokens: Tokens) -> Prediction:
        best = int(scores.argmax())
        named = dict(zip(self.labels, scores.tolist(), strict=True))
        return Prediction(self.labels[best], named[self.labels[best]], named, tokens.truncated)

    def _logits(self, tokens: Sequence[Tokens]) -> NDArray[np.float32]:
        logits = np.empty((len(tokens), len(self.labels)), dtype=np.float32)

        def fill(batch: Batch) -> None:
            logits[list(batch.rows)] = self._run(batch, tokens).logits[: len(batch.rows)]

        batches = list(plan([len(text.ids) for text in tokens], self.bundle.manifest.lengths, self.bundle.manifest.batch))
        workers = min(self._open_engine().workers, len(batches))
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(fill, batches))
        else:
            for batch in batches:
                fill(batch)
        return logits

    def _run(self, batch: Batch, tokens: Sequence[Tokens]) -> Outputs:
        ids = [tokens[row].ids for row in batch.rows]
        return self._open_engine()(*pad(ids, batch.length, self.bundle.manifest.pad_id, self.bundle.manifest.batch))

    def _open_engine(self) -> Engine:
        """Return this process's engine: after a fork the parent's has no threads left."""
        process = os.getpid()
        with self._own_lock():
            if self._engine is None or self._engine[0] != process:
                if self._engine is not None:
                    _INHERITED.append(self._engine)
                self._engine = process, open_engine(self.bundle, self.engine, self._threads)
            return self._engine[1]

    def _own_lock(self) -> RLock:
        """Return this process's lock: after a fork the parent's may be held for good."""
        if self._lock[0] != os.getpid():
            self._lock = os.getpid(), RLock()
        return self._lock[1]


def _several(texts: Iterable[str]) -> list[str]:
    """Return the texts as a list; a single string is one text, not its characters."""
    if isinstance(texts, str):
        return [texts]
    try:
        return list(texts)
    except TypeError as error:
        raise InputError(f"texts must be a string or several, not {type(texts).__name__}") from error
