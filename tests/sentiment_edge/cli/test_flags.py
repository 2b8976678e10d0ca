"""Options that the library names in backticks show as flags of the running command."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer
from helpers.support import Command as RunCommand
from typer.testing import CliRunner

from sentiment_edge.cli.common.exit import Command
from sentiment_edge.cli.common.flags import with_flags
from sentiment_edge.cli.common.terminal import TerminalProgress
from sentiment_edge_runtimes.errors import EngineError, OptionError

REMARK = "`engine`, `fusion`, `precision`, `texts`, `some_option`, `unknown` and `sentiment-edge export`"


def run(failure: Exception | None = None) -> tuple[int, str]:
    """Run a command of all kinds of options, which remarks and then perhaps fails; return its status and stderr."""
    app = typer.Typer()

    @app.command(cls=Command)
    def command(
        engines: Annotated[str, typer.Option("--engine")] = "",
        no_fusion: Annotated[bool, typer.Option("--no-fusion")] = False,
        int8: Annotated[bool, typer.Option("--int8")] = False,
        parity_data: Annotated[str, typer.Option()] = "",
        some_option: Annotated[str, typer.Option("--some", "-s")] = "",
    ) -> None:
        assert not any((engines, no_fusion, int8, parity_data, some_option))
        TerminalProgress().remark(REMARK)
        if failure is not None:
            raise failure

    done = CliRunner().invoke(app, [])
    return done.exit_code, done.stderr


def test_a_remark_names_flags() -> None:
    flags = "--engine, --no-fusion, --int8, --parity-data, --some, `unknown` and `sentiment-edge export`"
    assert run() == (0, f"sentiment-edge: {flags}\n")


@pytest.mark.parametrize(
    ("failure", "status", "shown"),
    [
        (OptionError("precision", "'x' is not one of fp32, int8"), 2, "--int8: 'x' is not one of fp32, int8"),
        (EngineError("choose it by `engine`"), 1, "choose it by --engine"),
        (FileNotFoundError(2, "No such file or directory", "`engine`"), 1, "`engine`: No such file or directory"),
    ],
)
def test_an_error_names_flags(failure: Exception, status: int, shown: str) -> None:
    found, stderr = run(failure)
    assert (found, stderr.splitlines()[1:]) == (status, [f"sentiment-edge: {shown}"])


def test_without_a_command_nothing_changes() -> None:
    run()
    assert with_flags(REMARK) == REMARK


def test_commands_name_their_own_flags(command: RunCommand, tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("data") / "a.csv"
    data.write_text("text,stars\nfine,good\n")
    done = command("evaluate", "--data", data)
    assert (done.returncode, b"name it by --label-column" in done.stderr) == (1, True)
    done = command("evaluate", "--data", data, "--map", "neutral")
    assert (done.returncode, done.stderr.startswith(b"sentiment-edge: --map: give FROM=TO")) == (2, True)
    done = command("bench", "--engine", "ONNXRUNTIME")
    assert (done.returncode, done.stderr.startswith(b"sentiment-edge: --engine: 'ONNXRUNTIME' is not one of auto, ")) == (
        2,
        True,
    )
