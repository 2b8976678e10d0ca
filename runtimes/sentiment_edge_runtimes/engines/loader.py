"""Opening an engine by its name, which is also the name of its module, its library and the extra that installs it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from sentiment_edge_runtimes.errors import EngineError, check_at_least, check_choice, first_line
from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE, ENGINES

if TYPE_CHECKING:
    from types import ModuleType

    from sentiment_edge_runtimes.bundle import Bundle
    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.vocabulary import EngineName


def open_engine(bundle: Bundle, name: EngineName, threads: int) -> Engine:
    """Return an engine for the bundle's model, which is loaded when it is first run or its `sharing` is called.

    Raises:
        OptionError: there is no such engine, or `threads` is not a whole number of 1 or more.
        EngineError: the bundle has no model for the engine, or the engine is not installed. When it is loaded: the engine
            refuses the model.
        BundleDamaged: when it is loaded: a file of the model has changed since the bundle was opened.
    """
    check_choice("name", name, ENGINES)
    check_at_least("threads", threads, 1)
    bundle.model_path(name)
    return cast("Engine", import_engine(name).open_engine(bundle, threads))


def import_engine(name: EngineName) -> ModuleType:
    """Import an engine's module, and with it its library: heavy, perhaps absent, so only the one that is asked for.

    Raises:
        EngineError: the library is not installed, or cannot be loaded.
    """
    try:
        return import_module(f"sentiment_edge_runtimes.engines.{name}")
    except ModuleNotFoundError as error:
        raise EngineError(f"{name} is not installed ({error.name} is missing): {install_command(name)}") from error
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt | SystemExit):  # a compiled module, interrupted as it initializes
            raise error.__cause__ from None
        raise EngineError(f"{name} is installed but cannot be loaded: {first_line(error)}") from error


def install_command(name: EngineName) -> str:
    """Return the command that installs an engine; the default one comes with the package itself."""
    extra = "" if name == DEFAULT_ENGINE else f"[{name}]"
    return f"pip install 'sentiment-edge{extra}'"
