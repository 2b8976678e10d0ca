"""The longest time for which a window stands still while its classifier loads and a text is typed, by toolkit and by way.

xvfb-run -a python benchmarks/ui_stalls.py
xvfb-run -a python benchmarks/ui_stalls.py --bundle FOLDER

A timer of 5 ms runs in the window's thread (benchmarks/ui_window.py); the longest gap between two of its ticks is how long a
key, a click or a repaint had to wait. `still` is that of the window alone, before anything is loaded. Each run is a process of
its own; the ways take turns. Needs a display, and tkinter or PySide6 (pip install PySide6-Essentials).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from measuring import describe_machine
from ui_window import TOOLKITS, WAYS

from sentiment_edge_runtimes.machine.cpu import cpu_features

_MODULES = {"Tk": "tkinter", "PySide6": "PySide6"}
_WINDOW = Path(__file__).with_name("ui_window.py")
_FIGURES = ("still", "loading", "typing")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="", help="folder of a bundle; by default the built-in one")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    if sys.platform.startswith("linux") and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        parser.error("no display: run it under xvfb-run -a")
    toolkits = [name for name in TOOLKITS if importlib.util.find_spec(_MODULES[name])]
    print(f"{cpu_features().name}, {describe_machine('onnxruntime', 'tokenizers', 'numpy')}")
    if absent := TOOLKITS.keys() - toolkits:
        print(f"not installed: {', '.join(absent)}")
    columns = " ".join(f"{name:>20}" for name in _FIGURES)
    print(f"\n{'longest gap, ms: median (all runs)':<40} {columns} {'first answer':>14}")
    for toolkit in toolkits:
        _print(toolkit, arguments.bundle, arguments.rounds)


def _print(toolkit: str, bundle: str, rounds: int) -> None:
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(rounds + 1):
        for way in WAYS:
            measured = _run(toolkit, way, bundle)
            if number:  # the first round fills the file cache
                runs[way].append(measured)
    for way, found in runs.items():
        columns = [[each[figure] for each in found] for figure in _FIGURES]
        gaps = [f"{statistics.median(column):.0f} ({min(column):.0f} to {max(column):.0f})" for column in columns]
        seconds = statistics.median(each["seconds"] for each in found)
        print(f"{toolkit + ', ' + way:<40} {' '.join(f'{gap:>20}' for gap in gaps)} {seconds:>12.2f} s")


def _run(toolkit: str, way: str, bundle: str) -> dict[str, float]:
    command = [sys.executable, str(_WINDOW), toolkit, way, bundle]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"failed: {toolkit}, {way}\n{done.stderr}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


if __name__ == "__main__":
    main()
