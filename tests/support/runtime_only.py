# SPDX-License-Identifier: Apache-2.0
"""A folder of packages with nothing in it but the wheel's declared dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def link_distributions(
    names: list[str], directory: Path, without_requirements: Sequence[str] = ()
) -> None:
    """Links installed distributions, and all that they need, into an empty folder.

    What is not declared cannot be imported from there, as in a fresh environment, but
    without the minutes and gigabytes of making one.

    Args:
        names: The distributions.
        directory: The folder, which is made.
        without_requirements: Further ones, linked without what they need.
    """
    directory.mkdir()
    for name in [*closure(names), *without_requirements]:
        for entry in _top_level_entries(metadata.distribution(name)):
            link = directory / entry.name
            if not link.exists():
                link.symlink_to(entry)


def closure(names: list[str]) -> set[str]:
    """Follows the requirements of installed distributions, extras aside."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            waiting += required_names(metadata.requires(name) or [])
    return found


def required_names(requirements: list[str]) -> list[str]:
    """Names the distributions that apply here when no extra is asked for."""
    parsed = [Requirement(requirement) for requirement in requirements]
    return [
        requirement.name
        for requirement in parsed
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    ]


def _top_level_entries(distribution: metadata.Distribution) -> set[Path]:
    names = {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}
    return {Path(str(distribution.locate_file(name))) for name in names}
