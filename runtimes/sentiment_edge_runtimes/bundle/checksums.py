r"""`SHA256SUMS`: a line for each file, as coreutils' `sha256sum` writes it: the hash, two spaces, the name, `\n`."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"([0-9a-f]{64})  (\S[^\r\n\0]*)")


def parse_checksums(contents: bytes) -> dict[str, str]:
    r"""Return the hash of each file by its name. One set of checksums has one spelling: lines end in `\n`, the last one too.

    Raises:
        ValueError: the contents are anything else, or name a file twice.
    """
    try:
        *lines, rest = contents.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError("is not UTF-8") from error
    if b"\r" in contents:
        raise ValueError("has line ends other than LF, as git makes them")
    matches = [match for line in lines if (match := _LINE.fullmatch(line))]
    if rest or not lines or len(matches) != len(lines):
        raise ValueError("is malformed")
    checksums = {match[2]: match[1] for match in matches}
    if len(checksums) != len(lines):
        raise ValueError("names a file twice")
    return checksums


def format_checksums(checksums: Mapping[str, str]) -> str:
    """Return the contents of `SHA256SUMS`."""
    return "".join(f"{digest}  {name}\n" for name, digest in checksums.items())


def fingerprint(checksums: Mapping[str, str]) -> str:
    """Return the SHA-256 of all checksums, whatever their order."""
    return hashlib.sha256(json.dumps(checksums, sort_keys=True).encode()).hexdigest()
