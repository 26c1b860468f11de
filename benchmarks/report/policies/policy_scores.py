# SPDX-License-Identifier: Apache-2.0
"""Writes the scores in the metadata of shipped policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ganno_keras.policies.metadata import PolicyMetadata

from ...analysis.markdown_table import markdown_table

SCORES_SECTION: Final = """## {name} on the first task it was trained on

{measure}, by initial learning rate, weight decay {weight_decay}. Made by `{command}`.

{table}
"""


def scores_section(metadata: PolicyMetadata) -> str:
    """Writes the scores of a shipped policy."""
    scores = metadata.scores
    by_rate: Mapping[str, Mapping[str, float]] = scores[
        "accuracy_by_initial_learning_rate"
    ]
    rates = list(next(iter(by_rate.values())))
    return SCORES_SECTION.format(
        name=metadata.name,
        measure=scores["measure"][0].upper() + scores["measure"][1:],
        weight_decay=scores["weight_decay"],
        command=scores["command"],
        table=markdown_table(
            ["", *rates, "mean", "worst"],
            (
                [
                    method,
                    *(f"{100 * row[rate]:.2f}" for rate in rates),
                    f"{100 * scores['mean'][method]:.2f}",
                    f"{100 * scores['worst'][method]:.2f}",
                ]
                for method, row in by_rate.items()
            ),
        ),
    )
