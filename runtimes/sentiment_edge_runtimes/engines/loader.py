"""Opening an engine by its name, which is also the name of its module, its library and the extra that installs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sentiment_edge_runtimes.engines import MODULES
from sentiment_edge_runtimes.engines.forks import UNFORKED
from sentiment_edge_runtimes.errors import EngineError, OptionError, check_at_least, check_choice, first_line, is_frozen
from sentiment_edge_runtimes.limits import MAX_THREADS
from sentiment_edge_runtimes.machine.system import without_wheels
from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE, ENGINE_CHOICES, ENGINES

if TYPE_CHECKING:
    from types import ModuleType

    from sentiment_edge_runtimes.bundle import Bundle, Manifest
    from sentiment_edge_runtimes.engines.engine import Engine
    from sentiment_edge_runtimes.vocabulary import EngineName


def check_options(engine: object, threads: int | None) -> None:
    """Check the options that say how a bundle is run, which needs no bundle.

    Raises:
        OptionError: there is no such engine, or `threads` is neither None nor a whole number of 1 or more.
    """
    check_choice("engine", engine, ENGINE_CHOICES)
    if threads is not None:
        check_at_least("threads", threads, 1)
        if threads > MAX_THREADS:
            raise OptionError("threads", f"{threads!r:.40} is more than any machine has use for; give {MAX_THREADS} at most")


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


def answer_settings(manifest: Manifest, name: EngineName) -> dict[str, str]:
    """Return an engine's own settings that change a bundle's answers, by its own names.

    Raises:
        EngineError: the engine is not installed.
    """
    return cast("dict[str, str]", import_engine(name).answer_settings(manifest))


def import_engine(name: EngineName) -> ModuleType:
    """Import an engine's module, and with it its library: heavy, perhaps absent, so only the one that is asked for.

    Raises:
        EngineError: the library is not installed, or cannot be loaded; or this package lacks a module.
    """
    try:
        with UNFORKED:  # a fork would copy half an import, for which the child would wait for good
            return MODULES[name]()
    except ModuleNotFoundError as error:
        raise EngineError(_missing(name, error.name or first_line(error))) from error
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt | SystemExit):  # a compiled module, interrupted as it initializes
            raise error.__cause__ from None
        raise EngineError(f"{name} is installed but cannot be loaded: {first_line(error)}") from error


def _missing(name: EngineName, module: str) -> str:
    """Return what to do about a module that was not found: the engine's library, one that it needs, or one of ours."""
    frozen = is_frozen()
    if module.startswith("sentiment_edge"):
        advice = "build this app with all of the package" if frozen else "pip install --force-reinstall sentiment-edge"
        return f"{module}, a part of sentiment-edge, is missing: {advice}"
    if module == name:
        advice = "build this app where it is installed" if frozen else install_command(name)
        return f"{name} is not {'in this app' if frozen else 'installed'}: {without_wheels() or advice}"
    advice = "build this app with it" if frozen else f"pip install --force-reinstall {name}"
    return f"{name} is {'in this app' if frozen else 'installed'} but cannot be loaded, for {module} is missing: {advice}"


def install_command(name: EngineName) -> str:
    """Return the command that installs an engine; the default one comes with the package itself."""
    extra = "" if name == DEFAULT_ENGINE else f"[{name}]"
    return f"pip install 'sentiment-edge{extra}'"
