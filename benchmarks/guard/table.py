# SPDX-License-Identifier: Apache-2.0
"""What the guard saved and what it harmed, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .runs import DIVERGING, OFF, TRAININGS, Run, Version, needs_comparison


class Pair(NamedTuple):
    """Two fits of one training and seed, without the guard and with it."""

    off: Mapping[str, Any]
    on: Mapping[str, Any]

    @property
    def returned(self) -> bool:
        """Whether the guard did anything."""
        return bool(self.on["returns"] > 0)

    @property
    def is_harmed(self) -> bool:
        """Whether the guard returned, and the fit ends worse than the one without."""
        return self.returned and _loss(self.on) > _loss(self.off)

    @property
    def diverged(self) -> bool:
        """Whether the fit without the guard ends no better than it began."""
        return not _ends_well(self.off)

    @property
    def is_saved(self) -> bool:
        """Whether only the fit with the guard ends better than it began."""
        return self.diverged and _ends_well(self.on)


def _loss(record: Mapping[str, Any]) -> float:
    return math.inf if record["loss"] is None else float(record["loss"])


def _ends_well(record: Mapping[str, Any]) -> bool:
    """Whether a loss is below that of the network as it began."""
    before = record["loss_before"]
    return _loss(record) < (math.inf if before is None else before)


def pairs(
    records: Mapping[Run, Mapping[str, Any]],
    version: Version,
    group: str,
    training: str,
) -> list[Pair]:
    """The pairs of one training, by seed; those that are not there yet are left out."""
    found = []
    for run, record in sorted(records.items(), key=lambda item: item[0]):
        if (run.guard, run.policy, *run[1:3]) == (*version, group, training):
            same = None if needs_comparison(record) else record
            off = records.get(run._replace(guard=OFF), same)
            if off is not None:
                found.append(Pair(off, record))
    return found


def report(
    records: Mapping[Run, Mapping[str, Any]], versions: Mapping[Version, str]
) -> list[str]:
    """A summary and a line for each training.

    Args:
        records: All results.
        versions: What is compared, and how it is called in the heading.
    """
    return [
        *_summary(records, versions),
        "",
        *_sound(records, versions),
        "",
        *_diverging(records, versions),
    ]


def _names(groups: Sequence[str]) -> list[tuple[str, str]]:
    return [(group, name) for group in groups for name in TRAININGS[group]]


def _sound_groups() -> list[str]:
    return [group for group in TRAININGS if group != DIVERGING]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _heading(*cells: str) -> list[str]:
    return [_row(*cells), _row(*("---" for _ in cells))]


def _summary(
    records: Mapping[Run, Mapping[str, Any]], versions: Mapping[Version, str]
) -> list[str]:
    lines = _heading("seeds of all trainings together", *versions.values())
    sound = [_all(records, version, _sound_groups()) for version in versions]
    bad = [_all(records, version, [DIVERGING]) for version in versions]
    counts: dict[str, list[str]] = {
        "sound trainings with a return": [
            _of(sum(pair.returned for pair in found), found) for found in sound
        ],
        "of these, ended worse than without the guard": [
            str(sum(pair.is_harmed for pair in found)) for found in sound
        ],
        "returns in sound trainings": [
            str(sum(pair.on["returns"] for pair in found)) for found in sound
        ],
        "diverging trainings saved": [
            _of(
                sum(pair.is_saved for pair in found),
                [pair for pair in found if pair.diverged],
            )
            for found in bad
        ],
    }
    return lines + [_row(name, *cells) for name, cells in counts.items()]


def _of(number: int, all_of_them: Sequence[object]) -> str:
    return f"{number} of {len(all_of_them)}"


def _all(
    records: Mapping[Run, Mapping[str, Any]], version: Version, groups: Sequence[str]
) -> list[Pair]:
    return [pair for name in _names(groups) for pair in pairs(records, version, *name)]


def _sound(
    records: Mapping[Run, Mapping[str, Any]], versions: Mapping[Version, str]
) -> list[str]:
    """The sound trainings with a return; the others are only named."""
    headings = (f"returns, {name}" for name in versions.values())
    worse = (f"worse, {name}" for name in versions.values())
    lines = _heading("sound training", *headings, *worse)
    left_alone: dict[str, list[str]] = {}
    for group, name in _names(_sound_groups()):
        found = [pairs(records, version, group, name) for version in versions]
        if not any(pair.returned for some in found for pair in some):
            left_alone.setdefault(group, []).append(name)
            continue
        lines.append(
            _row(
                f"{group}: {name}",
                *(sum(pair.on["returns"] for pair in some) for some in found),
                *(_of(sum(pair.is_harmed for pair in some), some) for some in found),
            )
        )
    return [*lines, *_named(left_alone)]


def _named(trainings: Mapping[str, Sequence[str]]) -> list[str]:
    if not trainings:
        return []
    lines = _heading("kind", "sound trainings without a return in any seed")
    return [
        "",
        *lines,
        *(_row(group, "; ".join(it)) for group, it in trainings.items()),
    ]


def _diverging(
    records: Mapping[Run, Mapping[str, Any]], versions: Mapping[Version, str]
) -> list[str]:
    headings = (f"saved, {name}" for name in versions.values())
    lines = _heading("diverging training", "diverged", *headings)
    for name in _names([DIVERGING]):
        found = [pairs(records, version, *name) for version in versions]
        first = max(found, key=len)
        lines.append(
            _row(
                name[1],
                _of(sum(pair.diverged for pair in first), first),
                *(sum(pair.is_saved for pair in some) for some in found),
            )
        )
    return lines
