"""The operating system, and the bits of this Python: a system of 32 bits may run on a kernel of 64."""

from __future__ import annotations

import platform
import sys

PYTHON_BITS = 64 if sys.maxsize > 2**32 else 32


def system_name() -> str:
    """Return the operating system and the architecture of its kernel, such as `Linux aarch64`."""
    return f"{platform.system()} {platform.machine()}"


def without_wheels(bits: int = PYTHON_BITS) -> str:
    """Return the reason why pip finds no engine for this Python, and what to do; empty on usual systems.

    Args:
        bits: those of the Python.
    """
    if bits == 64:  # noqa: PLR2004
        return ""
    return f"this Python has {bits} bits (on {system_name()}), for which pip finds no engine; install a 64-bit system"
