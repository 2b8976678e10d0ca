"""The errors that this project raises on purpose, as a tree; the export adds its own to it.

    SentimentEdgeError
    ├── InputError                  a text or file that cannot be used
    │   └── OptionError             an option that cannot be used, or not with the others
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

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


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


class EngineError(SentimentEdgeError, RuntimeError):
    """The engine refused the model or failed while running it."""


class BundleError(SentimentEdgeError):
    """A bundle that cannot be opened."""


class BundleMissing(BundleError, FileNotFoundError):
    """There is no bundle at the path."""

    def __init__(self, root: Path) -> None:
        super().__init__(f"{root}: no bundle here (a folder with manifest.json); make one with `sentiment-edge export`")


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
        super().__init__(f"{root}: {name} {problem}; copy the bundle again or export it anew")


def first_line(error: BaseException) -> str:
    """Return the first line of another library's error message that says something, or the error's type if there is none.

    A line that ends in a colon only introduces the next one, often by a place in the library's source, and is passed over.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if not line.endswith(":")), lines[-1])
