"""Answers to texts of an asynchronous source, which are read while the model works on those before them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.inputs.live import READ_AHEAD, settled
from sentiment_edge_runtimes.inputs.texts import as_text, text_source_async

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

    from sentiment_edge_runtimes.inputs.live import Answer, Result
    from sentiment_edge_runtimes.vocabulary import OnError


def answer_live_async(texts: AsyncIterable[str], answer: Answer, on_error: OnError) -> AsyncGenerator[Result]:
    """Return the answers to texts as they come, in order: together to those that have come while the model worked.

    An error of the source, or of a text, is raised after the answers to the texts before it.

    Raises:
        InputError: the texts do not come asynchronously.
    """
    return _answers(text_source_async(texts), answer, on_error)


async def _answers(texts: AsyncIterable[str], answer: Answer, on_error: OnError) -> AsyncGenerator[Result]:
    ahead = _Ahead(texts)
    reader = asyncio.create_task(ahead.read())
    start = 0
    try:
        while chunk := await ahead.take():
            for result in settled(await asyncio.to_thread(answer, chunk), on_error, start):
                yield result
            start += len(chunk)
        if ahead.failure is not None:
            raise ahead.failure
    finally:
        reader.cancel()
        await asyncio.wait([reader])


class _Ahead:
    """Texts that have come and are not yet answered. One task reads them all, as the source may be bound to its task."""

    def __init__(self, texts: AsyncIterable[str]) -> None:
        self.failure: BaseException | None = None
        self._texts = texts
        self._most = 1
        self._waiting: list[str] = []
        self._ended = False
        self._came = asyncio.Event()
        self._room = asyncio.Event()

    async def read(self) -> None:
        """Read the source to its end, whenever there is room."""
        position = 0
        try:
            async for text in self._texts:
                self._waiting.append(as_text(text, position))
                self._came.set()
                position += 1
                while len(self._waiting) >= self._most:
                    self._room.clear()
                    await self._room.wait()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - raised after the answers to what came before
            self.failure = error
        finally:
            self._ended = True
            self._came.set()

    async def take(self) -> list[str]:
        """Return what has come, once something has; nothing at the end."""
        while not self._waiting and not self._ended:
            self._came.clear()
            await self._came.wait()
        taken, self._waiting = self._waiting, []
        if len(taken) == self._most:  # the source is faster than the model
            self._most = min(2 * self._most, READ_AHEAD)
        self._room.set()
        return taken
