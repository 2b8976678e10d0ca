"""How far a training has come, kept in a file from which a later run goes on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torch import nn


class Progress:
    """The parts of a training after each epoch that was finished."""

    def __init__(self, file: Path, of: str, parts: Mapping[str, nn.Module | torch.optim.Optimizer]) -> None:
        """Keep the parts in a file.

        Args:
            file: where; it may be there already.
            of: fingerprint of all that the training is made from: a file of another training is not gone on with.
            parts: what to keep the state of.
        """
        self._file, self._of, self._parts = file, of, parts

    def restore(self) -> int:
        """Bring the parts back; return how many epochs are done."""
        if not self._file.exists():
            return 0
        saved = torch.load(self._file, weights_only=True)
        if saved["of"] != self._of:
            print(f"{self._file} belongs to another training; begun anew", flush=True)
            return 0
        for name, part in self._parts.items():
            part.load_state_dict(saved[name])
        return int(saved["epochs"])

    def keep(self, epochs: int) -> None:
        """Write the parts, whole or not at all."""
        written = self._file.with_name(f"{self._file.name}.new")
        torch.save(
            {"of": self._of, "epochs": epochs} | {name: part.state_dict() for name, part in self._parts.items()}, written
        )
        written.replace(self._file)


def fingerprint(parts: Iterable[str]) -> str:
    """Return a checksum of texts in their order."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return found.hexdigest()
