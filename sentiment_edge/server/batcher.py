"""Dynamic batching: one call of the classifier answers all requests that wait; explanations take turns with such calls."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from sentiment_edge.server.limits import Limits, RequestRefused
from sentiment_edge_runtimes.errors import EngineError, first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sentiment_edge.server.metrics import Metrics
    from sentiment_edge_runtimes.classifier import Classifier
    from sentiment_edge_runtimes.prediction import Explanation, FailedPrediction, Prediction
    from sentiment_edge_runtimes.vocabulary import MethodChoice

_T = TypeVar("_T")
_Argument = TypeVar("_Argument")
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")

_STOPPING = "the server is stopping"
_INDEPENDENT = 1e-4
"""The largest difference of logits, alone and in a batch, at which a text counts as independent of its neighbours."""


@dataclass
class _Job(Generic[_Asked, _Answer]):
    asked: _Asked
    texts: int
    """The texts that the model runs with for it, at most."""
    answer: asyncio.Future[_Answer]


class Batcher:
    """Queues requests and runs them in batches, on a thread of its own while the event loop goes on.

    A request that finds nothing running starts at once. If the last batch had several requests, as many are waited for, but
    no longer than a window of a few milliseconds. After each batch one explanation runs, if any wait: its runs are no more than
    a batch's texts may be.
    """

    def __init__(self, classifier: Classifier, limits: Limits, metrics: Metrics) -> None:
        self._classifier = classifier
        self._limits = limits
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="classifier")
        self._jobs: deque[_Job[list[str], list[Prediction | FailedPrediction]]] = deque()
        self._explanations: deque[_Job[tuple[str, MethodChoice], Explanation]] = deque()
        self._waiting = 0
        self._arrived = asyncio.Event()
        self._expected = 1
        self._closed = False
        difference = classifier.bundle.manifest.parity.get("batch_difference")
        self._independent = isinstance(difference, float | int) and difference <= _INDEPENDENT

    async def predict(self, texts: list[str]) -> list[Prediction | FailedPrediction]:
        """Return a prediction for each text; a failed one for a text that cannot be answered.

        Raises:
            RequestRefused: too many texts wait, the answer took too long, or the server ends.
            EngineError: the engine failed.
        """
        return await self._queued(self._jobs, texts, len(texts))

    async def explain(self, text: str, method: MethodChoice, runs: int) -> Explanation:
        """Return the explanation of a text; raises the errors of `predict`.

        Args:
            text: the text.
            method: how to explain it.
            runs: the most runs of the model that it takes: it counts as so many texts that wait.
        """
        return await self._queued(self._explanations, (text, method), runs)

    async def run(self) -> None:
        """Run the queued requests, until cancelled."""
        while True:
            while not self._jobs and not self._explanations:
                self._arrived.clear()
                await self._arrived.wait()
            if self._jobs:
                await self._run(self._answer, await self._next_batch())
            if self._explanations:
                await self._run(self._explain, [self._taken(self._explanations)])

    def close(self) -> None:
        """Refuse the requests that still wait and any new ones, and let the thread end."""
        self._closed = True
        refusal = RequestRefused(503, _STOPPING)
        _hand_out(self._jobs, [refusal] * len(self._jobs))
        _hand_out(self._explanations, [refusal] * len(self._explanations))
        self._jobs.clear()
        self._explanations.clear()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _admit(self, texts: int) -> None:
        if self._closed:
            raise RequestRefused(503, _STOPPING)
        if self._waiting and self._waiting + texts > self._limits.queue:
            raise RequestRefused(429, f"{self._waiting} texts are waiting already; try again in a second")

    async def _queued(self, queue: deque[_Job[_Asked, _Answer]], asked: _Asked, texts: int) -> _Answer:
        """Queue a request and return its answer."""
        self._admit(texts)
        job: _Job[_Asked, _Answer] = _Job(asked, texts, asyncio.get_running_loop().create_future())
        queue.append(job)
        self._count_waiting(texts)
        self._arrived.set()
        return await self._in_time(job.answer)

    def _taken(self, queue: deque[_Job[_Asked, _Answer]]) -> _Job[_Asked, _Answer]:
        """Take the first job of a queue."""
        job = queue.popleft()
        self._count_waiting(-job.texts)
        return job

    def _count_waiting(self, more: int) -> None:
        self._waiting += more
        self._metrics.set_waiting(self._waiting)

    async def _run(
        self, answer: Callable[[Sequence[_Asked]], list[_Answer | Exception]], jobs: Sequence[_Job[_Asked, _Answer]]
    ) -> None:
        """Run jobs on the thread and hand out their answers; those that nobody waits for any more are not run."""
        jobs = [job for job in jobs if not job.answer.done()]
        if not jobs:
            return
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._thread, answer, [job.asked for job in jobs])
        except asyncio.CancelledError:
            _hand_out(jobs, [RequestRefused(503, _STOPPING)] * len(jobs))
            raise
        except Exception as error:  # noqa: BLE001 - for example, no thread can be started: the next request may succeed
            answers = [error] * len(jobs)
        _hand_out(jobs, answers)

    async def _in_time(self, answer: asyncio.Future[_T]) -> _T:
        try:
            return await asyncio.wait_for(answer, self._limits.seconds)
        except TimeoutError:
            raise RequestRefused(503, f"no answer within {self._limits.seconds:g} seconds; the server is busy") from None
        except asyncio.CancelledError:  # requests are cancelled at the server's end only
            raise RequestRefused(503, _STOPPING) from None

    async def _next_batch(self) -> list[_Job[list[str], list[Prediction | FailedPrediction]]]:
        """Take the requests to run together, and wait a moment for those that are likely to follow."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._limits.window
        while len(self._jobs) < self._expected and (left := until - loop.time()) > 0:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                break
        jobs = [self._taken(self._jobs)]
        texts = jobs[0].texts
        while self._jobs and texts + self._jobs[0].texts <= self._limits.together:
            jobs.append(self._taken(self._jobs))
            texts += jobs[-1].texts
        self._expected = len(jobs)
        self._metrics.count_batch(texts)
        return jobs

    def _answer(self, requests: Sequence[list[str]]) -> list[list[Prediction | FailedPrediction] | Exception]:
        """Return the answer to each request; if the classifier fails on all of them together, each is tried alone."""
        if self._independent and len(requests) > 1:
            predictions = _tried(self._together, [text for texts in requests for text in texts])
            if not isinstance(predictions, Exception):
                remaining = iter(predictions)
                return [list(islice(remaining, len(texts))) for texts in requests]
        return [_tried(self._classify, texts) for texts in requests]

    def _explain(self, requests: Sequence[tuple[str, MethodChoice]]) -> list[Explanation | Exception]:
        return [_tried(lambda asked: self._classifier.explain(*asked), request) for request in requests]

    def _classify(self, texts: list[str]) -> list[Prediction | FailedPrediction]:
        return self._together(texts) if self._independent else [self._together([text])[0] for text in texts]

    def _together(self, texts: list[str]) -> list[Prediction | FailedPrediction]:
        return self._classifier(texts, on_error="return")


def _tried(function: Callable[[_Argument], _T], argument: _Argument) -> _T | Exception:
    """Return the result of a function, or its error, which is for the request and not for the thread.

    A panic in a library written in Rust is no Exception.
    """
    try:
        return function(argument)
    except Exception as error:  # noqa: BLE001
        return error
    except BaseException as error:  # noqa: BLE001
        return EngineError(f"the classifier failed ({type(error).__name__}: {first_line(error)})")


def _hand_out(jobs: Iterable[_Job[_Asked, _Answer]], answers: Iterable[_Answer | Exception]) -> None:
    for job, answer in zip(jobs, answers, strict=True):
        if job.answer.done():  # its time is over
            continue
        if isinstance(answer, Exception):
            job.answer.set_exception(answer)
        else:
            job.answer.set_result(answer)
