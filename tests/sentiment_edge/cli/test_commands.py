from __future__ import annotations

import json
from importlib.metadata import version

from helpers.support import Command


def test_the_version(command: Command) -> None:
    assert command("--version").stdout.decode().strip() == version("sentiment-edge")


def test_help_names_every_command(command: Command) -> None:
    shown = command("--help").stdout.decode()
    names = ("models", "export", "predict", "explain", "evaluate", "verify", "bench", "serve", "doctor")
    assert all(f"\n  {name} " in shown for name in names)


def test_models_name_source_and_licence(command: Command) -> None:
    known = {model["name"]: model for model in json.loads(command("models", "--json").stdout)}
    assert known["gru"]["hub_id"] == "ericwei/attention-sentiment-classifier"
    assert known["gru-mini"]["licence"] == "Apache-2.0"
    listed = command("models").stdout.decode()
    assert all(name in listed for name in known)


def test_an_unknown_command_is_wrong_usage(command: Command) -> None:
    assert command("predcit").returncode == 2
