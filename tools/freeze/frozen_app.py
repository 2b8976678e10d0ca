"""An app that was built, and the running of it as on a machine that has no Python."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECONDS = 300
_CLOSED = 'exec "$@" <&- >&- 2>&-'
"""A shell's line that runs its arguments without stdin, stdout and stderr."""


@dataclass(frozen=True, slots=True)
class FrozenApp:
    """An app, and the way to start it."""

    name: str
    command: Sequence[str | Path]
    size: int
    """Bytes of all that a user gets."""
    limit: int | None = None
    """Bytes that it may have."""
    symbols: int = 0
    """Bytes of it that are debug symbols of the Python that built it; they do not count."""
    data: bool = False
    """Whether it is to answer with the bundle that it has as data; else with the default one."""

    movable: bool = False
    """Whether it is to be tried in other places too: a folder that has a bundle as data."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """All of its variables."""

    def moved(self, folder: Path, *, data: bool) -> FrozenApp:
        """Return the same app in another folder, to answer with the bundle that it has as data or with the default one."""
        return replace(self, command=[folder / Path(self.command[0]).name], data=data)

    def answers(self, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - those of `answers`
        """Run it and return what it found."""
        return answers(self.command, data=self.data, environment=self.environment, **options)


def answers(
    command: Sequence[str | Path],
    *,
    data: bool,
    environment: Mapping[str, str] | None = None,
    windowed: bool = False,
    user: str | None = None,
) -> dict[str, Any]:
    """Run an app and return what it found; `error` is what it died of.

    Args:
        command: the app.
        data: let it answer with the bundle that it has as data.
        environment: all of its variables; by default it has none.
        windowed: run it without stdin, stdout and stderr.
        user: the user who runs it.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # the user may be another one
        file = Path(folder) / "found.json"
        line = [*map(str, command), str(file), *(["bundle"] if data else [])]
        done = subprocess.run(
            ["/bin/sh", "-c", _CLOSED, "sh", *line] if windowed else line,
            cwd=folder,
            env=environment or {},
            user=user,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode or not file.exists():
            return {"error": f"status {done.returncode}: {(done.stdout + done.stderr).decode('utf-8', 'replace')[-2000:]}"}
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return found
