"""Answers to texts as they come, from a source of which nobody can tell whether it has a text ready.

Asking an iterator for a text takes as long as the source pleases, and what was read before waits that long. So texts are read
ahead only while the source has them ready, and few at first. The clocks tell whether it had: while a source is waited for,
time passes in which this thread does not run.
"""

from __future__ import annotations

from collections.abc import Sized
from itertools import islice
from time import perf_counter, thread_time
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import TextError
from sentiment_edge_runtimes.inputs.texts import text_source
from sentiment_edge_runtimes.prediction import FailedPrediction, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from sentiment_edge_runtimes.vocabulary import OnError

    Answer = Callable[[Sequence[str]], Sequence[Prediction | TextError]]

Result = Prediction | FailedPrediction
READ_AHEAD = 1024
"""Texts that are read ahead at most: enough to find several of each length, which share a batch."""
_READY = 20e-6
"""Seconds for which a text may be waited for, on average, and count as ready: no process is woken in less."""
_HELD = 0.02
"""Seconds that a text may wait for the next ones."""
_STALL = 0.25
"""Seconds for which texts were kept waiting once too often: the source is trusted less from then on."""
_FIRST_TRUST = 32
"""Texts in a row that a source must have had ready before one is read ahead: a busy machine makes any look so now and then."""
_DISTRUST = 4
"""Factor of that number after a stall."""


def answer_live(texts: Iterable[str], answer: Answer, on_error: OnError, read_ahead: int) -> Generator[Result]:
    """Yield the answer to each text, in order; what holds its texts already, such as a list, is read ahead at once.

    An error of the source, or of a text, is raised after the answers to the texts before it.
    """
    pace: _Pace | None = None if isinstance(texts, Sized) else _Pace(read_ahead)
    return _answers(text_source(texts), answer, on_error, read_ahead, pace)


def _answers(
    source: Iterator[str], answer: Answer, on_error: OnError, read_ahead: int, pace: _Pace | None
) -> Generator[Result]:
    start, failure = 0, None
    while failure is None:
        chunk, failure = _read(source, read_ahead) if pace is None else pace.read(source)
        if chunk:
            yield from settled(answer(chunk), on_error, start)
        elif failure is None:
            return
        start += len(chunk)
    raise failure


def settled(results: Sequence[Prediction | TextError], on_error: OnError, start: int) -> Generator[Result]:
    """Yield predictions, and failed ones unless `on_error` is `raise`; the first result is that of the text at `start`.

    Raises:
        TextError: a text has no prediction; those before it have been yielded.
    """
    for position, result in enumerate(results, start):
        if not isinstance(result, TextError):
            yield result
        elif on_error == "raise":
            raise TextError(result.problem, position) from result.__cause__
        else:
            yield FailedPrediction(result.problem)


def _read(source: Iterator[str], most: int) -> tuple[list[str], Exception | None]:
    """Return up to that many texts; fewer at the end, and where the source fails, with its error."""
    chunk: list[str] = []
    try:
        chunk.extend(islice(source, most))
    except Exception as error:  # noqa: BLE001 - raised after the answers to the chunk
        return chunk, error
    return chunk, None


class _Pace:
    """Reads as many texts ahead as a source has shown to have ready."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 1
        self._ready = 0
        self._trust = _FIRST_TRUST

    def read(self, source: Iterator[str]) -> tuple[list[str], Exception | None]:
        """Return the next texts; none at the end. Where the source fails, its error too."""
        chunk: list[str] = []
        failure = None
        first = began = perf_counter()
        ran = thread_time()
        try:
            for text in islice(source, self._size):
                chunk.append(text)
                now = perf_counter()
                if len(chunk) == 1:
                    first = now
                elif now > first + _HELD:
                    break
        except Exception as error:  # noqa: BLE001 - raised after the answers to the chunk
            failure = error
        ended = perf_counter()
        self._learn(len(chunk), ended - began - (thread_time() - ran), ended - first)
        return chunk, failure

    def _learn(self, texts: int, waited: float, held: float) -> None:
        """Choose the next size after so many texts, for which this thread waited, and of which the first was kept waiting."""
        if texts > 1 and held > _STALL:
            self._trust *= _DISTRUST
        ready = waited <= _READY * texts
        trusted = self._ready >= self._trust
        if held > _HELD or not (ready or (trusted and waited <= _HELD)):
            self._size, self._ready = max(1, texts // 2) if ready else 1, 0
        elif ready:
            self._ready += texts
            if self._ready >= self._trust:
                self._size = min(2 * self._size, self._most)
