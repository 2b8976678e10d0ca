"""What the light tests need besides the wheel, as pyproject.toml declares it, and the oldest versions that it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from tools.steps import read_project

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXTRAS = ("openvino", "plot", "serve", "test")
_EXPORT = {"cbor2", "msgpack", "onnx"}
"""What light tests use of the extra `export`; the rest of it needs torch."""


def light_requirements() -> list[str]:
    """Return the requirements that the light tests have besides those of the wheel itself."""
    extras = read_project()["project"]["optional-dependencies"]
    used = [requirement for requirement in extras["export"] if Requirement(requirement).name in _EXPORT]
    return [*(requirement for extra in _EXTRAS for requirement in extras[extra]), *used]


def minimums(requirements: Iterable[str]) -> list[str]:
    """Return constraints that pin each requirement to the oldest version that it allows.

    Raises:
        ValueError: one has no lower bound.
    """
    return [f"{each.name}=={_minimum(each)}" for each in map(Requirement, requirements)]


def _minimum(requirement: Requirement) -> str:
    bounds = [specifier.version for specifier in requirement.specifier if specifier.operator == ">="]
    if len(bounds) != 1:
        raise ValueError(f"{requirement}: declares no oldest version")
    return bounds[0]
