# SPDX-License-Identifier: Apache-2.0
"""Writes the scores in the metadata of shipped policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ganno_keras.policies.metadata import PolicyMetadata

from ...analysis.markdown_table import markdown_table

CONSTANT: Final = "constant"

SCORES_SECTION: Final = """## Policies on the first task that they were trained on

{measure}, by initial learning rate, weight decay {weight_decay}. Policies of the same
task are together, below its constant rates. Made by
`python -m benchmarks.policy_scores saved_policies/NAME`.

{table}
"""


def scores_section(policies: Sequence[PolicyMetadata]) -> str:
    """Writes the scores of all policies that have some, "" without any."""
    scored = {it.name: it.scores for it in policies if it.scores}
    if not scored:
        return ""
    first = next(iter(scored.values()))
    rates = list(_accuracies(first)[CONSTANT])
    lines: list[list[str]] = []
    for name in sorted(scored, key=lambda it: (_constants(scored[it]), it)):
        own = _lines(name, scored[name])
        is_of_same_task = any(line[2:] == own[0][2:] for line in lines)
        lines += own[1:] if is_of_same_task else own
    return SCORES_SECTION.format(
        measure=first["measure"][0].upper() + first["measure"][1:],
        weight_decay=first["weight_decay"],
        table=markdown_table(["", "actions", *rates, "mean", "worst"], lines),
    )


def _lines(name: str, scores: Mapping[str, Any]) -> list[list[str]]:
    """Returns the line of constant rates, and those of a policy."""
    return [
        [
            *(("", CONSTANT) if actions == CONSTANT else (name, actions)),
            *(f"{100 * accuracy:.2f}" for accuracy in by_rate.values()),
            f"{100 * scores['mean'][actions]:.2f}",
            f"{100 * scores['worst'][actions]:.2f}",
        ]
        for actions, by_rate in _accuracies(scores).items()
    ]


def _constants(scores: Mapping[str, Any]) -> list[float]:
    return list(_accuracies(scores)[CONSTANT].values())


def _accuracies(scores: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    by_rate: dict[str, dict[str, float]] = scores["accuracy_by_initial_learning_rate"]
    return by_rate
