"""From texts to predictions: `load` a bundle, call the `Classifier`."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, overload

from sentiment_edge_runtimes.engines.forks import UNFORKED
from sentiment_edge_runtimes.errors import OptionError, TextError, check_at_least, check_choice, raise_first
from sentiment_edge_runtimes.inputs import READ_AHEAD, add_answers, answer_live, as_list, settled
from sentiment_edge_runtimes.running.life import ModelLife
from sentiment_edge_runtimes.running.living import LivingModel
from sentiment_edge_runtimes.vocabulary import METHOD_CHOICES, ON_ERROR

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.prediction import Explanation, FailedPrediction, Prediction
    from sentiment_edge_runtimes.vocabulary import EngineChoice, MethodChoice, OnError, Warm

DEFAULT_BUNDLE = Path(__file__).parent / "models" / "gru-mini-int8"
Table = TypeVar("Table")


def load(
    bundle: str | os.PathLike[str] | None = None,
    *,
    engine: EngineChoice = "auto",
    threads: int | None = None,
    warm: Warm = False,
) -> Classifier:
    """Open a bundle and return its classifier. Never touches the network.

    Args:
        bundle: the folder that an export wrote; by default the small English model that comes with this package.
        engine: the engine that executes the model; `auto` for the one that the environment variable `SENTIMENT_EDGE_ENGINE`
            names, by default the faster one of the bundle's that are installed here: timed once, then remembered.
        threads: CPU threads to use; by default one for each CPU that this process may really use.
        warm: True to start the engine and run one text before this returns, so that the first call is as fast as the others;
            `background` to return at once and do all of it in a thread: what fails there, the next call tries again and raises.

    Raises:
        OptionError: `bundle` is no path, there is no such engine, `threads` is not a whole number of 1 or more, or `warm` is
            something else.
        BundleError: the bundle is missing, damaged, malformed or too new.
        EngineError: the bundle has no model for this engine; with `warm`, none of its engines can run it here.
    """
    if not isinstance(bundle, str | os.PathLike | None):
        raise OptionError("bundle", f"{bundle!r:.40} is not the path of a folder")
    if not (isinstance(warm, bool) or (isinstance(warm, str) and warm == "background")):
        raise OptionError("warm", f"{warm!r:.40} is not one of False, True, background")
    root = DEFAULT_BUNDLE if bundle is None else Path(bundle)
    classifier = Classifier._of(ModelLife(root, engine, threads))  # noqa: SLF001
    if warm:
        classifier.warm_up(background=warm == "background")
    else:
        _ = classifier.bundle, classifier._model  # noqa: SLF001 - both import libraries
    return classifier


class Classifier(LivingModel):
    """A bundle ready to use. Threads may share it; the engine starts at first use, in each process anew.

    Raises:
        OptionError: there is no such engine, or `threads` is not a whole number of 1 or more.
        EngineError: the bundle has no model for this engine.
    """

    def __init__(self, bundle: Bundle, *, engine: EngineChoice = "auto", threads: int | None = None) -> None:
        super().__init__(ModelLife(bundle, engine, threads))
        self._life.parts()

    @classmethod
    def _of(cls, life: ModelLife) -> Classifier:
        """Return the classifier of a bundle that may not be open yet."""
        classifier = cls.__new__(cls)
        LivingModel.__init__(classifier, life)
        return classifier

    def __reduce__(self) -> tuple[Callable[[Bundle], Classifier], tuple[Bundle]]:
        """Pickle the arguments that it was made with: another process opens its own engine."""
        self._life.calls.check_open()
        return partial(Classifier, engine=self._life.engine_shown, threads=self._life.threads), (self.bundle,)

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
            return raise_first(self._model.answers([texts]), None)[0]
        return list(settled(self._model.answers(as_list(texts)), on_error, 0))

    @overload
    async def acall(self, texts: str) -> Prediction: ...  # type: ignore[overload-overlap]  # as above

    @overload
    async def acall(self, texts: Iterable[str], *, on_error: Literal["raise"] = ...) -> list[Prediction]: ...

    @overload
    async def acall(self, texts: Iterable[str], *, on_error: OnError) -> list[Prediction | FailedPrediction]: ...

    async def acall(
        self, texts: str | Iterable[str], *, on_error: OnError = "raise"
    ) -> Prediction | Sequence[Prediction | FailedPrediction]:
        """Call it in a thread, while the event loop goes on; the model goes on too where this is cancelled.

        The texts are taken from their source in the loop's own thread.
        """
        from asyncio import to_thread  # noqa: PLC0415 - slow to import; whoever awaits has done so

        return await to_thread(self.__call__, texts if isinstance(texts, str) else as_list(texts), on_error=on_error)

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
        return answer_live(texts, self._model.answers, on_error, read_ahead)

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
        with UNFORKED:
            from sentiment_edge_runtimes.inputs.live_async import answer_live_async  # noqa: PLC0415 - asyncio is slow to import

        return answer_live_async(texts, self._model.answers, on_error)

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
        with self._life.calls:
            return add_answers(table, column, self._model.answers, on_error)

    def logits(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return the model's logits, float32 [texts, classes].

        Raises:
            InputError: an item is not a string.
            TextError: a text cannot be answered; the error names the first.
            EngineError: the engine failed.
        """
        with self._life.calls:
            logits, failed = self._model.logits_each(self._model.tokenizer.encode(as_list(texts)))
        if failed:
            raise TextError(failed[min(failed)], min(failed))
        return logits

    def explain(self, text: str, method: MethodChoice = "auto") -> Explanation:
        """Return the prediction for a text, with the weight of each of its tokens or words.

        Args:
            text: the text.
            method: `attention`, the share that each token got, from one run of the model; `occlusion`, how much of the label's
                probability each word accounts for, from a run without each word, and no more than 161 runs; `auto` for
                attention where the model has some, otherwise occlusion.

        Raises:
            OptionError: there is no such method.
            InputError: the text is not a string.
            TextError: the text cannot be answered.
            EngineError: `method` is attention and the model has none, or the engine failed.
        """
        check_choice("method", method, METHOD_CHOICES)
        with UNFORKED:
            from sentiment_edge_runtimes.explanation import explain  # noqa: PLC0415 - few programs need it

        with self._life.calls:
            return explain(text, method, self.bundle, self._model.tokenizer, self._life.engine)
