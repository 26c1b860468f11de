# SPDX-License-Identifier: Apache-2.0
"""The named action sets, which a policy's metadata refers to."""

from __future__ import annotations

from typing import Final

from ganno_keras.control.actions import ActionSet, Operation, WeightDecays
from ganno_keras.control.anchor.relative_anchor import RelativeAnchor
from ganno_keras.control.base_schedule import BaseSchedule

PAPER_ACTIONS: Final = ActionSet(
    name="paper",
    operations=(
        Operation("+", 0.0),
        Operation("*", 1.01),
        Operation("*", 1.10),
        Operation("/", 1.01),
        Operation("/", 1.10),
        Operation("+", 0.0005),
        Operation("-", 0.0005),
        Operation("+", 0.001),
        Operation("-", 0.001),
    ),
)


ANCHORED_ACTIONS: Final = ActionSet(
    name="anchored",
    operations=(
        Operation("+", 0.0),
        Operation("*", 2**0.5),
        Operation("*", 2.0),
        Operation("*", 2**1.5),
        Operation("*", 4.0),
        Operation("/", 2**0.5),
        Operation("/", 2.0),
        Operation("/", 2**1.5),
        Operation("/", 4.0),
    ),
    base=BaseSchedule(peak=0.003),
)
"""Bounded factors on a warm-up and cosine decay, whatever the initial learning rate.

Deviation: the paper's actions change the layer's own rate.
"""


_RATE_FACTORS: Final = (
    Operation("+", 0.0),
    Operation("*", 2.0),
    Operation("*", 4.0),
    Operation("/", 2.0),
    Operation("/", 4.0),
)


_DECAY_FACTORS: Final = (1.0, 3.0, 0.1)


RATE_AND_DECAY_ACTIONS: Final = ActionSet(
    name="rate-and-decay",
    operations=tuple(rate for rate in _RATE_FACTORS for _ in _DECAY_FACTORS),
    base=ANCHORED_ACTIONS.base,
    decays=WeightDecays(
        base=0.1,
        factors=tuple(decay for _ in _RATE_FACTORS for decay in _DECAY_FACTORS),
    ),
)
"""Every combination of a factor on the rate and a factor on the weight decay.

Paper: its first open question, to set more than the learning rate.
"""

RELATIVE_ACTIONS: Final = ActionSet(
    name="relative", operations=ANCHORED_ACTIONS.operations, anchor=RelativeAnchor()
)
"""The same factors on rates that move each layer by a share of its weights."""

_TOTAL_SHRINKS: Final = (1.0, 0.0, 10.0 / 3.0)


RELATIVE_AND_DECAY_ACTIONS: Final = ActionSet(
    name="relative-and-decay",
    operations=(
        *(_RATE_FACTORS[0], Operation("*", 1.0), Operation("*", 1.0)),
        *(rate for rate in _RATE_FACTORS[1:] for _ in _TOTAL_SHRINKS),
    ),
    decays=WeightDecays(
        base=0.3,
        factors=tuple(total for _ in _RATE_FACTORS for total in _TOTAL_SHRINKS),
    ),
    anchor=RelativeAnchor(),
)
"""Every combination of a factor on the relative rate and a total shrink: 0, 0.3 or 1.

The shrink is the sum of `rate * decay` over the training; see `TotalShrink`.
"""


_ACTION_SETS: Final = {
    action_set.name: action_set
    for action_set in (
        PAPER_ACTIONS,
        ANCHORED_ACTIONS,
        RATE_AND_DECAY_ACTIONS,
        RELATIVE_ACTIONS,
        RELATIVE_AND_DECAY_ACTIONS,
    )
}


def get_action_set(name: str) -> ActionSet:
    """Finds an action set by name.

    Args:
        name: `"paper"` for the actions of Appendix A, `"anchored"` for factors on a
            schedule, `"rate-and-decay"` for these and factors on the weight decay,
            `"relative"` for factors on the share of its weights that a layer moves by,
            or `"relative-and-decay"` for these and totals of the weight decay.

    Raises:
        ValueError: If there is no set of that name.

    Example:

        >>> get_action_set("paper").num_actions
        9

    Paper: Appendix A, "Actions".
    """
    if name not in _ACTION_SETS:
        raise ValueError(
            f"There is no action set {name!r}; known are {sorted(_ACTION_SETS)}. "
            "Use one of these, or a version of ganno-keras that has it."
        )
    return _ACTION_SETS[name]
