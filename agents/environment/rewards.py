# SPDX-License-Identifier: Apache-2.0
"""What the agents of one inner training are rewarded for.

A reward looks at one timestep: at the outcome before it, after it, and after a no-op
rollout, in which a clone of the training went through the same updates with unchanged
learning rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np


class Outcome(NamedTuple):
    """How good the network is on the held-out sample, by inner training."""

    validation_loss: np.ndarray  # [num_lanes]
    validation_accuracy: np.ndarray  # [num_lanes], NaN where there is none


class Timestep(NamedTuple):
    """The outcomes between which one reward is computed."""

    before: Outcome
    after: Outcome
    after_no_op: Outcome | None


class Reward(NamedTuple):
    """A reward function, with the notes what it needs."""

    function: Callable[[Timestep], np.ndarray]
    needs_no_op: bool
    needs_accuracy: bool


Quantity = Callable[[Outcome], np.ndarray]
"""What is to grow."""

SMALLEST_ERROR: Final = 1e-3
"""Errors below one in a thousand are not told apart: the sample is no larger. Nor are
losses that stand for an error."""

LARGEST_LOSS: Final = 100.0
"""A diverged or undefined loss counts as this much."""


def _accuracy(outcome: Outcome) -> np.ndarray:
    return outcome.validation_accuracy


def _negative_loss(outcome: Outcome) -> np.ndarray:
    finite = np.nan_to_num(outcome.validation_loss, nan=LARGEST_LOSS)
    return -np.minimum(finite, LARGEST_LOSS)


def _potential(outcome: Outcome) -> np.ndarray:
    """Negative log of the validation error: each halving of the error counts alike.

    Where there is no accuracy, the loss takes the error's place.
    """
    error = 1.0 - outcome.validation_accuracy
    remaining = np.where(np.isnan(error), -_negative_loss(outcome), error)
    return -np.log(np.maximum(remaining, SMALLEST_ERROR))


def _reward(
    function: Callable[[Timestep], np.ndarray],
    quantity: Quantity,
    needs_no_op: bool = False,
) -> Reward:
    return Reward(function, needs_no_op, needs_accuracy=quantity is _accuracy)


def _value_after(quantity: Quantity) -> Reward:
    return _reward(lambda step: quantity(step.after), quantity)


def _gain(quantity: Quantity) -> Reward:
    """The change over the timestep; summed over an episode it is the whole gain."""
    return _reward(lambda step: quantity(step.after) - quantity(step.before), quantity)


def _difference(quantity: Quantity) -> Reward:
    """The change against the no-op rollout: exactly 0 for a no-op."""

    def reward(step: Timestep) -> np.ndarray:
        if step.after_no_op is None:
            raise ValueError(
                "A difference reward came without the outcome of a no-op rollout; "
                "it compares with one. Run the environment with its clones."
            )
        return quantity(step.after) - quantity(step.after_no_op)

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
        ValueError: If there is no reward of that name.

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
