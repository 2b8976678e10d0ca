"""Read by PyInstaller, in the place of its own hook of this name, for an app that imports ONNX Runtime.

The library comes twice: as Python's module, and as a file for programs in other languages. An app gets that file only where the
environment has another library that opens it.
"""

from pathlib import Path

from PyInstaller.utils.hooks import can_import_module, collect_dynamic_libs

_OPENED = can_import_module("onnxruntime_genai")
binaries = [
    (source, target)
    for source, target in collect_dynamic_libs("onnxruntime")
    if _OPENED or Path(source).name.partition(".")[0].removeprefix("lib") != "onnxruntime"
]
excludedimports = ["onnxruntime.transformers"]  # it describes the machine when something failed, and may import torch
