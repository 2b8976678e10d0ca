"""From texts to predictions: `load` a bundle, call the `Classifier`."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from math import isfinite
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Literal, TypeVar, overload

import numpy as np

from sentiment_edge_runtimes.bundle import opening
from sentiment_edge_runtimes.engines.isolation import run_isolated
from sentiment_edge_runtimes.engines.loader import import_engine, open_engine
from sentiment_edge_runtimes.engines.selection import check_options, choose, foreseen
from sentiment_edge_runtimes.errors import EngineError, TextError, check_at_least, check_choice, raise_first
from sentiment_edge_runtimes.inference import infer, infer_one
from sentiment_edge_runtimes.inputs import READ_AHEAD, add_answers, answer_live, as_list, settled
from sentiment_edge_runtimes.machine.threads import usable_cpus
from sentiment_edge_runtimes.numerics import probabilities
from sentiment_edge_runtimes.prediction import Explanation, TokenWeight, most_probable
from sentiment_edge_runtimes.tokenization import PROBE, TextTokenizer, Tokens
from sentiment_edge_runtimes.vocabulary import ON_ERROR

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.prediction import FailedPrediction, Prediction
    from sentiment_edge_runtimes.vocabulary import EngineChoice, EngineName, OnError

DEFAULT_BUNDLE = Path(__file__).parent / "models" / "gru-mini-int8"
Table = TypeVar("Table")
_NO_NUMBER = "the model's answer to this text is not a number"


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
    with opening(root) as opened:  # its files are checked while a library is imported and the tokenizer is read
        classifier = Classifier(opened, engine=engine, threads=threads)
        with suppress(EngineError):  # said at first use
            name = foreseen(opened, engine, threads or usable_cpus())
            if name is not None:
                import_engine(name)
        return classifier


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
    def __call__(self, texts: Iterable[str], *, on_error: Literal["raise"] = ...) -> list[Prediction]: ...

    @overload
    def __call__(self, texts: Iterable[str], *, on_error: OnError) -> list[Prediction | FailedPrediction]: ...

    def __call__(
        self, texts: str | Iterable[str], *, on_error: OnError = "raise"
    ) -> Prediction | Sequence[Prediction | FailedPrediction]:
        """Predict the label of one text, or of each of several.

        Args:
            texts: a text, or several.
            on_error: `raise` the error of a text that cannot be answered, or `return` it in the place of its prediction;
                of a single text it is always raised.

        Raises:
            InputError: an item is not a string.
            TextError: a text cannot be answered; of several, the error names the first.
            EngineError: the engine failed.
        """
        check_choice("on_error", on_error, ON_ERROR)
        if isinstance(texts, str):
            return raise_first(self._answers([texts]), None)[0]
        return list(settled(self._answers(as_list(texts)), on_error, 0))

    @overload
    def stream(
        self, texts: Iterable[str], *, on_error: Literal["raise"] = ..., read_ahead: int = ...
    ) -> Generator[Prediction]: ...

    @overload
    def stream(
        self, texts: Iterable[str], *, on_error: OnError, read_ahead: int = ...
    ) -> Generator[Prediction | FailedPrediction]: ...

    def stream(
        self, texts: Iterable[str], *, on_error: OnError = "raise", read_ahead: int = READ_AHEAD
    ) -> Generator[Prediction | FailedPrediction]:
        """Predict the labels of any number of texts in order, as they come, in constant memory.

        Args:
            texts: the texts; an iterator is advanced in the caller's thread.
            on_error: `raise` the error of a text that cannot be answered, or `return` it in the place of its prediction.
            read_ahead: texts to read at most before the first of them is answered. That many are read where they are ready; 1
                for a source that gives the next text only after the answer.

        Raises:
            InputError: an item is not a string.
            TextError: a text cannot be answered.
            EngineError: the engine failed.
        """
        check_choice("on_error", on_error, ON_ERROR)
        check_at_least("read_ahead", read_ahead, 1)
        return answer_live(texts, self._answers, on_error, read_ahead)

    @overload
    def astream(self, texts: AsyncIterable[str], *, on_error: Literal["raise"] = ...) -> AsyncGenerator[Prediction]: ...

    @overload
    def astream(self, texts: AsyncIterable[str], *, on_error: OnError) -> AsyncGenerator[Prediction | FailedPrediction]: ...

    def astream(
        self, texts: AsyncIterable[str], *, on_error: OnError = "raise"
    ) -> AsyncGenerator[Prediction | FailedPrediction]:
        """Predict the labels of texts that come asynchronously, in order; the model works in a thread of its own.

        Args:
            texts: the texts.
            on_error: `raise` the error of a text that cannot be answered, or `return` it in the place of its prediction.

        Raises:
            InputError: an item is not a string.
            TextError: a text cannot be answered.
            EngineError: the engine failed.
        """
        check_choice("on_error", on_error, ON_ERROR)
        from sentiment_edge_runtimes.inputs.live_async import answer_live_async  # noqa: PLC0415 - asyncio is slow to import

        return answer_live_async(texts, self._answers, on_error)

    def table(self, table: Table, column: str = "text", *, on_error: OnError = "raise") -> Table:
        """Return a table of pandas, polars or Arrow with the columns `label`, `score` and `truncated` added.

        Where such a name is taken, the new one is `predicted_label` and so on. Rows without a text get no label and no score.

        Args:
            table: the table, which is not changed; of another library that speaks Arrow's interface a pyarrow table is made.
            column: the name of the column that holds the texts.
            on_error: `raise` the error of a text that cannot be answered, or `return` its row without a label.

        Raises:
            OptionError: the table has no such column, or several.
            InputError: it is not a table, or the column holds something else than texts.
            TextError: a text cannot be answered; the position is its row.
            EngineError: the engine failed.
        """
        check_choice("on_error", on_error, ON_ERROR)
        return add_answers(table, column, self._answers, on_error)

    def logits(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return the model's logits, float32 [texts, classes].

        Raises:
            InputError: an item is not a string.
            TextError: a text cannot be answered; the error names the first.
            EngineError: the engine failed.
        """
        logits, failed = self._logits_each(self._tokenizer.encode(as_list(texts)))
        if failed:
            raise TextError(failed[min(failed)], min(failed))
        return logits

    def explain(self, text: str) -> Explanation:
        """Return the prediction for a text, with the attention that each of its tokens got.

        Raises:
            InputError: the text is not a string.
            TextError: the text cannot be answered.
            EngineError: the model has no attention output, or the engine failed.
        """
        encoding, truncated = self._tokenizer.encode_one(text)
        tokens = Tokens(encoding.ids, truncated)
        outputs = infer_one(self._open_engine(), self.bundle.manifest, tokens.ids)
        if outputs.attention is None:
            raise EngineError(f"{self.bundle.root}: a {self.bundle.manifest.family} model has no attention to show")
        weights = outputs.attention[0][: len(tokens.ids)].tolist()
        if not all(map(isfinite, weights)):
            raise TextError(_NO_NUMBER)
        rows = zip(encoding.tokens, weights, encoding.offsets, strict=True)
        explained = tuple(TokenWeight(token, weight, *span) for token, weight, span in rows)
        (prediction,) = raise_first(self._predictions([tokens], outputs.logits[:1], {}), None)
        return Explanation(text, prediction, explained)

    def _answers(self, texts: Sequence[str]) -> list[Prediction | TextError]:
        """Predict the labels of texts; the error, where there is none."""
        read = self._tokenizer.encode_each(texts)
        tokens = [text for text in read if not isinstance(text, TextError)]
        predictions = iter(self._predictions(tokens, *self._logits_each(tokens)))
        return [text if isinstance(text, TextError) else next(predictions) for text in read]

    def _predictions(
        self, tokens: Sequence[Tokens], logits: NDArray[np.float32], failed: Mapping[int, str]
    ) -> list[Prediction | TextError]:
        """Return the prediction of each text; the error, where there is none: the reasons are by row."""
        with np.errstate(invalid="ignore"):  # of infinities; such a row has no prediction
            scores = probabilities(logits, self.bundle.manifest.activation)
        finite = np.isfinite(scores.sum(axis=1))
        return [
            most_probable(self.labels, scores[row].tolist(), truncated=text.truncated)
            if finite[row]
            else TextError(failed.get(row, _NO_NUMBER))
            for row, text in enumerate(tokens)
        ]

    def _logits_each(self, tokens: Sequence[Tokens]) -> tuple[NDArray[np.float32], dict[int, str]]:
        return run_isolated(self._logits, tokens, probe=lambda: self._tokenizer.encode([PROBE]))

    def _logits(self, tokens: Sequence[Tokens]) -> NDArray[np.float32]:
        return infer(self._open_engine(), self.bundle.manifest, [text.ids for text in tokens])

    def _open_engine(self) -> Engine:
        """Return this process's engine: the parent's has no threads left after a fork, and is kept by `kept_in_forks`."""
        process = os.getpid()
        with self._own_lock():
            if self._engine is None or self._engine[0] != process:
                self._engine = process, open_engine(self.bundle, self.engine, self._threads)
            return self._engine[1]

    def _own_lock(self) -> RLock:
        """Return this process's lock: after a fork the parent's may be held for good."""
        if self._lock[0] != os.getpid():
            self._lock = os.getpid(), RLock()
        return self._lock[1]
