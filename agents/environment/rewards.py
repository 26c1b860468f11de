# SPDX-License-Identifier: Apache-2.0
"""Rewards of the agents of one inner training.

A reward compares outcomes around one timestep: before it, after it, and after it in a
no-op clone. The clone took the same updates with unchanged learning rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np


class Outcome(NamedTuple):
    """Loss and accuracy of each inner training on the held-out sample."""

    validation_loss: np.ndarray  # [num_environments]
    validation_accuracy: np.ndarray  # [num_environments], NaN where there is none


class Outcomes(NamedTuple):
    """The outcomes around one timestep, which a reward is computed from."""

    before: Outcome
    after: Outcome
    after_no_op: Outcome | None  # of the clones; None if there are none


class Reward(NamedTuple):
    """A reward function, and what it needs."""

    function: Callable[[Outcomes], np.ndarray]
    needs_no_op: bool
    needs_accuracy: bool


Quantity = Callable[[Outcome], np.ndarray]
"""The quantity that an agent is rewarded for raising."""

SMALLEST_ERROR: Final = 1e-3
"""The smallest error, or loss in its place, that counts. The held-out sample is too
small to tell errors below one in a thousand apart."""

LARGEST_LOSS: Final = 100.0
"""What a diverged or undefined loss counts as."""


def _accuracy(outcome: Outcome) -> np.ndarray:
    return outcome.validation_accuracy


def _negative_loss(outcome: Outcome) -> np.ndarray:
    finite = np.nan_to_num(outcome.validation_loss, nan=LARGEST_LOSS)
    return -np.minimum(finite, LARGEST_LOSS)


def _potential(outcome: Outcome) -> np.ndarray:
    """Returns the negative log of the validation error, or of the loss without one.

    Each halving of the error counts alike.
    """
    error = 1.0 - outcome.validation_accuracy
    remaining = np.where(np.isnan(error), -_negative_loss(outcome), error)
    return -np.log(np.maximum(remaining, SMALLEST_ERROR))


def _reward(
    function: Callable[[Outcomes], np.ndarray],
    quantity: Quantity,
    needs_no_op: bool = False,
) -> Reward:
    return Reward(function, needs_no_op, needs_accuracy=quantity is _accuracy)


def _value_after(quantity: Quantity) -> Reward:
    return _reward(lambda outcomes: quantity(outcomes.after), quantity)


def _gain(quantity: Quantity) -> Reward:
    """Rewards the change over the timestep; an episode's sum is the whole change."""
    return _reward(lambda it: quantity(it.after) - quantity(it.before), quantity)


def _difference(quantity: Quantity) -> Reward:
    """Rewards the difference to the no-op clone: exactly 0 for a no-op."""

    def reward(outcomes: Outcomes) -> np.ndarray:
        if outcomes.after_no_op is None:
            raise ValueError(
                "A difference reward came without the outcome of no-op clones; it "
                "compares with one. Run the environment with its clones."
            )
        return quantity(outcomes.after) - quantity(outcomes.after_no_op)

    return _reward(reward, quantity, needs_no_op=True)


REWARDS: Final[Mapping[str, Reward]] = {
    "difference": _difference(_accuracy),  # the paper's
    "loss_difference": _difference(_negative_loss),
    "potential_difference": _difference(_potential),
    "potential": _gain(_potential),
    "accuracy": _value_after(_accuracy),
    "loss": _value_after(_negative_loss),
}


def get_reward(name: str) -> Reward:
    """Finds a reward by name.

    Args:
        name: One of `REWARDS`; `"difference"` is the paper's.

    Raises:
        ValueError: If no reward has that name.

    Example:

        >>> get_reward("difference").needs_no_op
        True

    Paper: section 4 "Reward".
    """
    if name not in REWARDS:
        raise ValueError(
            f"There is no reward {name!r}; known are {sorted(REWARDS)}. Use one of "
            "these, or add a function to agents/environment/rewards.py."
        )
    return REWARDS[name]
