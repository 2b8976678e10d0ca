"""A process that makes inputs and reads them: it may die of one, and its parent then knows of which.

Tasks come by stdin, a line each; replies go to the first stdout, whatever libraries write meanwhile.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from sentiment_edge_runtimes.errors import SentimentEdgeError, first_line
from tools.hostile.outcome import Reply, Task

if TYPE_CHECKING:
    from tools.hostile.reader import Reader

LONGEST_MESSAGE = 2000
"""Characters of an error's message that a line in a terminal may have."""
_SHOWN = 300
"""Characters of an overlong message, or of a line of a traceback, that are reported."""
_TAIL = 6
"""Lines of a traceback that are reported."""


def main() -> None:
    """Work until there are no more tasks; the only argument is a folder for the inputs."""
    scratch = Path(sys.argv[1])
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        os.dup2(2, 1)
        for line in sys.stdin:
            task = Task.of_line(line)
            reader: Reader = import_module(task.module).READERS[task.name]
            _limit_memory(task.memory)
            for number in range(task.start, task.stop):
                replies.write(Reply(number, "started").line())
                replies.flush()
                replies.write(_attempt(task, reader, number, scratch / "input").line())
                replies.flush()


def _attempt(task: Task, reader: Reader, number: int, folder: Path) -> Reply:
    """Make an input and read it; it is kept if it failed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of archives with two members of one name
        reader.make(Random(f"{task.seed}/{task.name}/{number}"), folder)
    signal.setitimer(signal.ITIMER_PROF, task.seconds)  # its signal ends the process
    try:
        reply = _read(reader, number, folder)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if reply.kind == "failed" and (kept := task.kept(number)):
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept, symlinks=True)
    return reply


def _read(reader: Reader, number: int, folder: Path) -> Reply:
    try:
        reader.read(folder)
    except SentimentEdgeError as error:
        problem = _fault(str(error))
        return Reply(number, "failed" if problem else "refused", problem, str(error)[:_SHOWN] if problem else "")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what this looks for
        return Reply(number, "failed", _cause(error), _end(error))
    return Reply(number, "succeeded")


def _fault(message: str) -> str:
    """Return what is wrong with an error's message; nothing if it is one line that every terminal takes."""
    if len(message.splitlines()) != 1:
        return f"a message of {len(message.splitlines())} lines"
    if len(message) > LONGEST_MESSAGE:
        return "a message far longer than a line"
    return "" if message.encode("utf-8", "replace").decode() == message else "a message with half a surrogate pair"


def _cause(error: BaseException) -> str:
    """Return the type of an error and the last place of this project that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename and "sentiment_edge" in frame.filename]
    place = f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
    return f"{type(error).__name__}{place}"


def _end(error: BaseException) -> str:
    """Return the last lines of a traceback and the first of the message: some libraries append pages of their own stack."""
    frames = "".join(traceback.format_tb(error.__traceback__)).splitlines()[-_TAIL:]
    return "\n".join(line[:_SHOWN] for line in (*frames, f"{type(error).__name__}: {first_line(error)}"))


def _limit_memory(more: int) -> None:
    """Allow some bytes of address space beyond what the process has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, hard))


if __name__ == "__main__":
    main()
