# SPDX-License-Identifier: Apache-2.0
"""The relative anchor of an action set, in numbers that a policy's file names."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ganno_keras.control.anchor.relative_rate import (
    HIGHEST_RELATIVE_RATE,
    RelativeRateFormula,
)
from ganno_keras.control.anchor.update_ratios import RenewalRules
from ganno_keras.control.base_schedule import BaseSchedule


@dataclass(frozen=True)
class RelativeAnchor:
    """The rates that move each layer by a share of its weights, without any factor.

    A policy is used only with exactly the anchor that it was trained on. What is
    refitted is another anchor, of another action set.

    Args:
        formula: The share at the peak of the schedule.
        schedule: What the share is multiplied by over a training; its peak is 1.
        rules: How the ratios of weights to steps are renewed.

    Example:

        >>> anchor = RelativeAnchor()
        >>> anchor.to_dict()["schedule"]
        {'peak': 1.0, 'warm_up': 0.1, 'start': 0.04, 'hold': 0.3}
    """

    formula: RelativeRateFormula = field(default_factory=RelativeRateFormula)
    schedule: BaseSchedule = field(
        default_factory=lambda: BaseSchedule(peak=1.0, warm_up=0.1, hold=0.3)
    )
    rules: RenewalRules = field(default_factory=RenewalRules)

    def to_dict(self) -> dict[str, Any]:
        """Describes the anchor in plain JSON types."""
        return {
            "kind": "relative update",
            "formula": self.formula.to_dict(),
            "schedule": self.schedule.to_dict(),
            "rules": asdict(self.rules),
            "highest": HIGHEST_RELATIVE_RATE,
        }
