"""The life of a classifier, as its user sees it: what it was made of, when it starts, how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment_edge_runtimes.engines.forks import UNFORKED

if TYPE_CHECKING:
    from typing import Self

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.running.life import ModelLife
    from sentiment_edge_runtimes.running.text_model import TextModel
    from sentiment_edge_runtimes.vocabulary import EngineName


class LivingModel:
    """A bundle's model that is started, asked and closed. Threads may share it."""

    def __init__(self, life: ModelLife) -> None:
        self._life = life
        self._text_model: TextModel | None = None

    @property
    def _model(self) -> TextModel:
        if self._text_model is None:
            with UNFORKED:  # a fork would copy half an import, for which the child would wait for good
                from sentiment_edge_runtimes.running.text_model import TextModel  # noqa: PLC0415 - imports libraries
            self._text_model = TextModel(self._life)
        return self._text_model

    def __repr__(self) -> str:
        """Return the bundle's folder, its precision and labels, and the engine: `auto` while none has been chosen."""
        return f"{type(self).__name__}({self._life})"

    def __enter__(self) -> Self:
        """Return itself, to be closed at the block's end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it; see `close`."""
        self.close()

    async def __aenter__(self) -> Self:
        """Return itself, to be closed at the block's end."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it in a thread, for to wait for calls under way would keep the event loop waiting; see `close`."""
        from asyncio import to_thread  # noqa: PLC0415 - slow to import; whoever awaits has done so

        await to_thread(self.close)

    def close(self) -> None:
        """Wait for the calls under way in other threads, then let go of the engine's session and of the tokenizer.

        Every later call raises EngineError, and so does the next batch of a stream. Closing again does nothing. The memory is
        free for this process from then on; the system gets back as much of it as the C library lets go, the libraries stay.
        """
        self._life.close()

    def warm_up(self, *, background: bool = False) -> None:
        """Start the engine and run one text, so that the first call is as fast as the others.

        Args:
            background: do it in a thread and return at once; what fails there, the next call tries again and raises.

        Raises:
            EngineError: none of the bundle's engines can run it here; or the classifier is closed.
        """
        self._life.warm_up(lambda: self._model.answer_ordinary(), background=background)  # noqa: PLW0108 - imports

    @property
    def bundle(self) -> Bundle:
        """The bundle. After `load(..., warm="background")` it is waited for, and its error raised here."""
        return self._life.bundle

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
        return self._life.engine_name()
