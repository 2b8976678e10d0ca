"""The oldest versions that pyproject.toml declares, which `make pythons` installs."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools.pythons.requirements import light_requirements, minimums
from tools.steps import read_project

DECLARED = [*read_project()["project"]["dependencies"], *light_requirements()]


@pytest.mark.parametrize("declared", DECLARED)
def test_each_requirement_declares_an_oldest_version_that_it_allows(declared: str) -> None:
    (pinned,) = map(Requirement, minimums([declared]))
    (version,) = [Version(pin.version) for pin in pinned.specifier]
    requirement = Requirement(declared)
    assert pinned.name == requirement.name
    assert version in requirement.specifier
    assert all(version <= Version(other.version) for other in requirement.specifier)


@pytest.mark.parametrize("declared", ["numpy", "numpy<3", "numpy>=2,>=2.1"])
def test_a_requirement_without_one_oldest_version_is_refused(declared: str) -> None:
    with pytest.raises(ValueError, match="declares no oldest version"):
        minimums([declared])
