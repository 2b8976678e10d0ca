"""Read by PyInstaller for an app that imports OpenVINO, which opens most of its libraries itself, beside each other.

An app gets those that run a model in OpenVINO's own format on the CPU. One that converts models or has other devices needs the
others too: `--collect-binaries openvino --hidden-import openvino.tools.ovc`.
"""

from pathlib import Path

from PyInstaller.utils.hooks import collect_dynamic_libs

_OPENED = ("openvino.", "openvino_intel_cpu_plugin.", "openvino_ir_frontend.", "tbb", "hwloc.")
binaries = [
    (source, target)
    for source, target in collect_dynamic_libs("openvino", search_patterns=["*.dll", "*.dylib", "lib*.so", "lib*.so.*"])
    if Path(source).name.removeprefix("lib").startswith(_OPENED)
]
bindepend_symlink_suppression = ["**/openvino/libs/*"]
excludedimports = ["openvino.tools", "openvino_telemetry"]
