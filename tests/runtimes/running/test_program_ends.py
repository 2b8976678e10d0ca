"""Programs that end while they load or predict: at once, without a word, whatever their threads are doing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from helpers.openvino_bundle import add_openvino

if TYPE_CHECKING:
    from pathlib import Path

HANGS = 600
PROGRAMS = {
    "loads in the background": 'kept = load(bundle, engine=engine, warm="background")',
    "has a labeller": "kept = Labeller(bundle, lambda *_: None)\nkept.label('I loved it.')",
    "has its own labeller": "kept = Labeller(load(bundle, engine=engine), lambda *_: None)\nkept.label('I loved it.')",
    "predicts in threads of its own": """
def predict():
    model = load(bundle, engine=engine)
    while True:
        model("I loved it.")
        model(["I loved it.", "dreadful " * 60] * 20)

for _ in range(2):
    threading.Thread(target=predict, daemon=True).start()
""",
}
START = "import sys, threading, time\nfrom sentiment_edge import Labeller, load\n_, bundle, engine, delay = sys.argv\n"


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_it_ends(program: str, engine: str, bundle_folder: Path) -> None:
    bundle = add_openvino(bundle_folder)
    for delay in (0, 0.05, 0.1, 0.15, 0.25, 0.4, 0.8):
        code = f"{START}{program}\ntime.sleep(float(delay))"
        command = [sys.executable, "-c", code, str(bundle), engine, str(delay)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=HANGS)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), delay
