"""Telemetry of other libraries, which report to their makers unless told otherwise: it is turned off before they are imported.

Each package of this project imports this module first, so it comes before every library that they import, and processes that
they start inherit the variables. Nothing here imports more than the standard library.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.vocabulary import DEFAULT_ENGINE, ENGINES

if TYPE_CHECKING:
    from collections.abc import Iterator

TELEMETRY_VARIABLE = "ORT_DISABLE_TELEMETRY"
"""Environment variable that keeps the default engine's library from reporting; it is read once, when that is imported."""
_VARIABLES = (TELEMETRY_VARIABLE, "HF_HUB_DISABLE_TELEMETRY")
_REPORTER = "openvino_telemetry"
"""The library by which OpenVINO reports that it was imported. No variable stops that; without it OpenVINO works as well."""
_LIBRARY = _REPORTER.removesuffix("_telemetry")
_CONVERTER = f"{_LIBRARY}.tools.ovc"
"""OpenVINO's converter reports what it converts. OpenVINO imports it too, which takes as long as all the rest of it."""


def _is_off() -> bool:
    return os.environ.get(TELEMETRY_VARIABLE, "").strip().lower() in {"1", "true", "yes", "on"}


_IMPORTED_BEFORE = tuple(name for name in ENGINES if name in sys.modules and not (name == DEFAULT_ENGINE and _is_off()))
"""Engines' libraries that the program imported before this project, without having turned off their telemetry."""

for _variable in _VARIABLES:
    if not os.environ.get(_variable):  # whoever wants telemetry sets it to 0
        os.environ[_variable] = "1"


@contextmanager
def unreported() -> Iterator[None]:
    """Hide what reports from the libraries that are imported in this block.

    OpenVINO is prepared for both failing to be imported. Its converter is there for a program that asks for it afterwards.
    """
    with _hidden(_REPORTER), _hidden(_CONVERTER):
        yield
    if (library := sys.modules.get(_LIBRARY)) is not None and "convert_model" not in vars(library):
        library.__getattr__ = _imported_late  # type: ignore[method-assign]


def _imported_late(name: str) -> object:
    """Return what OpenVINO would have had, had it imported its converter: https://peps.python.org/pep-0562/."""
    if name not in {"convert_model", "tools"}:
        raise AttributeError(f"module {_LIBRARY!r} has no attribute {name!r}")
    try:
        with _hidden(_REPORTER):
            converter = import_module(_CONVERTER)
    except ImportError as error:
        raise AttributeError(f"module {_LIBRARY!r} has no attribute {name!r}: {error}") from error
    library = sys.modules[_LIBRARY]
    library.convert_model = converter.convert_model  # type: ignore[attr-defined]
    return vars(library)[name]


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Make importing a module fail in this block."""
    there = module in sys.modules
    hidden = sys.modules.get(module)
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
        if there:
            sys.modules[module] = hidden  # type: ignore[assignment]


def reporting() -> str | None:
    """Return the reason why an engine's library may report from this process; None if none does."""
    if not _is_off():
        return f"{TELEMETRY_VARIABLE} is {os.environ.get(TELEMETRY_VARIABLE)!r:.40}"
    if _IMPORTED_BEFORE:
        return f"{' and '.join(_IMPORTED_BEFORE)} was imported before sentiment_edge"
    return None
