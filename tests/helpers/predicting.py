"""What tests of `predict` with files share: a small table, what it becomes, and runs that are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.invocation import invoke

if TYPE_CHECKING:
    from pathlib import Path

TABLE = b"id,text\n1,I loved it.\n2,Dreadful.\n"
LABELLED = b"id,text,label,score\n1,I loved it.,positive,0.9988\n2,Dreadful.,negative,0.9937\n"


def contents_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def refused(*arguments: str | Path, status: int = 1, stdin: bytes = b"") -> str:
    """The command writes nothing to stdout and says in one line why; return the line."""
    done = invoke("predict", *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (status, b""), done.stderr
    lines = done.stderr.decode().splitlines()
    assert len([line for line in lines if line.startswith(("sentiment-edge: ", "Error: "))]) == 1
    return lines[-1]
