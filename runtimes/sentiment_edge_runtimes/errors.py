"""The errors that this project raises on purpose, as a tree; the export adds its own to it.

    SentimentEdgeError
    ├── InputError                  a text or file that cannot be used
    │   ├── OptionError             an option that cannot be used, or not with the others
    │   └── TextError               a text that the model cannot answer; others may be
    ├── EngineError                 the engine refused the model or failed to run it
    └── BundleError                 a bundle that cannot be opened
        ├── BundleMissing           no bundle at this path
        ├── BundleInvalid           the manifest or a name in it is not acceptable
        ├── BundleTooNew            written by a later release
        └── BundleDamaged           a file is missing, cut short or changed

Each message is one line that says what to do. An option is named in it as Python has it, in backticks (`fixed_length`); the
command line shows the flag instead, prints the line and exits with `exit_status`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_Result = TypeVar("_Result")


class SentimentEdgeError(Exception):
    """Anything this project raises on purpose."""

    exit_status = 1


class InputError(SentimentEdgeError, ValueError):
    """A text or file that cannot be used."""


class OptionError(InputError):
    """An option that cannot be used, or not with the others."""

    exit_status = 2

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"`{option}`: {problem}")
        self.option = option
        """The option's name, as Python has it."""

    def __reduce__(self) -> tuple[Callable[..., OptionError], tuple[str, str]]:
        """Pickle what it was made from."""
        return OptionError, (self.option, str(self).removeprefix(f"`{self.option}`: "))


class TextError(InputError):
    """A text that the model cannot answer: the tokenizer or the engine fails on it. Other texts may well be answered."""

    def __init__(self, problem: str, position: int | None = None) -> None:
        super().__init__(problem if position is None else f"texts[{position}]: {problem}")
        self.problem = problem
        self.position = position
        """The text's place among several, from 0; None for a text that was given alone."""

    def __reduce__(self) -> tuple[Callable[..., TextError], tuple[str, int | None]]:
        """Pickle what it was made from."""
        return TextError, (self.problem, self.position)


def raise_first(results: Sequence[_Result | TextError], start: int | None = 0) -> list[_Result]:
    """Return the results of several texts if there is one for each.

    Args:
        results: by text.
        start: the position of the first text; None for a text that was given alone.

    Raises:
        TextError: a text has none; the error names the first such text.
    """
    good = [result for result in results if not isinstance(result, TextError)]
    if len(good) < len(results):
        index, error = next((index, result) for index, result in enumerate(results) if isinstance(result, TextError))
        raise TextError(error.problem, None if start is None else start + index) from error.__cause__
    return good


def check_choice(option: str, value: object, allowed: Sequence[str]) -> None:
    """Check that an option's value is one of a closed set.

    Raises:
        OptionError: it is not; the message names the values that are.
    """
    if value not in allowed:
        raise OptionError(option, f"{value!r:.40} is not one of {', '.join(allowed)}")


def check_at_least(option: str, value: object, least: int) -> None:
    """Check that an option's value is an integer that is not too small.

    Raises:
        OptionError: it is not; the message names the least value that is accepted.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise OptionError(option, f"{value!r:.40} is not a whole number of {least} or more")


def is_frozen() -> bool:
    """Tell whether this process is an app that PyInstaller, cx_Freeze or Nuitka packed together with Python."""
    return bool(getattr(sys, "frozen", False)) or "__compiled__" in globals()


def is_inside_app(path: Path) -> bool:
    """Tell whether a path is in the folder of this frozen app, or in the one that it has unpacked itself into."""
    if not is_frozen():
        return False
    folders = type(path)(sys.executable).parent, getattr(sys, "_MEIPASS", sys.prefix)
    return any(path.absolute().is_relative_to(folder) for folder in folders)


class EngineError(SentimentEdgeError, RuntimeError):
    """The engine refused the model or failed while running it."""


class BundleError(SentimentEdgeError):
    """A bundle that cannot be opened."""

    def __reduce__(self) -> tuple[Callable[[type[BundleError], str], BundleError], tuple[type[BundleError], str]]:
        """Pickle the message: a worker process that raises it must reach the process that waits."""
        return _with_message, (type(self), str(self))


def _with_message(kind: type[BundleError], message: str) -> BundleError:
    error = kind.__new__(kind)
    error.args = (message,)
    return error


class BundleMissing(BundleError, FileNotFoundError):
    """There is no bundle at the path."""

    def __init__(self, root: Path, problem: str | None = None) -> None:
        super().__init__(f"{root}: {problem or _no_bundle(root)}")


def _no_bundle(root: Path) -> str:
    if is_inside_app(root):
        advice = "install this app again; whoever builds it adds the bundle to it as data"
    elif is_frozen():
        advice = "add the bundle to this app as data, and give its path from the app's folder, not from the current one"
    else:
        advice = "make one with `sentiment-edge export`"
    return f"no bundle here (a folder with manifest.json); {advice}"


class BundleInvalid(BundleError, ValueError):
    """The manifest, or a name in it, is not acceptable."""

    def __init__(self, root: Path, problem: str) -> None:
        super().__init__(f"{root}: {problem}; export it again")


class BundleTooNew(BundleError, ValueError):
    """A later release wrote the bundle."""

    def __init__(self, root: Path, found: int, known: int) -> None:
        super().__init__(f"{root}: bundle format {found} is newer than {known}, the latest known here; upgrade sentiment-edge")


class BundleDamaged(BundleError, ValueError):
    """A file of the bundle is missing, cut short or changed."""

    def __init__(self, root: Path, name: str, problem: str) -> None:
        advice = "install this app again" if is_inside_app(root) else "copy the bundle again or export it anew"
        super().__init__(f"{root}: {name} {problem}; {advice}")


_LONGEST_REASON = 300
"""Characters of another library's message that are shown."""


def first_line(error: BaseException) -> str:
    """Return the first line of another library's error message that says something, or the error's type if there is none.

    It is cut short: a library may quote a value of any length from a file. A line that ends in a colon only introduces the
    next one, often by a place in the library's source, and is passed over.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    found = next((line for line in lines if not line.endswith(":")), lines[-1])
    return found if len(found) <= _LONGEST_REASON else f"{found[:_LONGEST_REASON]}…"
