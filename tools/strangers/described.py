"""The server's description of itself, tried by schemathesis: requests that it allows and some that it does not."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.strangers.served import Served

_EXAMPLES = "200"
_CHECKS = "all"


def try_description() -> bool:
    """Let schemathesis try every operation of the description and print what it finds; tell whether that is nothing."""
    program = Path(sys.executable).with_name("schemathesis")
    with Served("--port", "0") as server, tempfile.TemporaryDirectory() as folder:
        command = [str(program), "run", f"{server.url}/openapi.json", "--checks", _CHECKS, "--max-examples", _EXAMPLES]
        command += ["--continue-on-failure", "--seed", "0", "--no-color"]
        done = subprocess.run(command, cwd=folder, check=False)
    return done.returncode == 0
