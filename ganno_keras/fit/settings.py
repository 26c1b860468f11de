# SPDX-License-Identifier: Apache-2.0
"""The user's settings of GANNO, checked and completed by the policy's own values."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import keras
import numpy as np

from ganno_keras.control.actions import (
    LearningRateBounds,
    StartingPoint,
    check_learning_rate_bounds,
)
from ganno_keras.control.anchor.optimizer_traits import follows_rate
from ganno_keras.control.fit_facts import FitFacts
from ganno_keras.monitoring.validation_sample import ValidationSample
from ganno_keras.policies import Policy, PolicyMetadata, load_policy

_LARGEST_SEED = 2**31 - 1
_BASES = ("policy", "optimizer")

_NO_BOUNDS: Final = LearningRateBounds(0.0, float(np.finfo(np.float32).max))
"""What a rate or a schedule of the user's own is limited by."""


@dataclass(frozen=True)
class ControlSettings:
    """The settings by which a fit is controlled.

    Args:
        policy: Chooses the actions.
        interval: Updates between two decisions, at least 1.
        bounds: Limits of the learning rates.
        temperature: 0 for the likeliest actions, 1 to sample, at least 0.
        seed: The seed of the sampling.
        validation: The held-out sample; None to use what `fit` itself measures.
        guard: Whether to return to the best moment when the training diverges.
        base: What the actions' factors act on: "policy" for what the policy was made
            with, "optimizer" for the rate or the schedule of the optimizer.
    """

    policy: Policy
    interval: int
    bounds: LearningRateBounds
    temperature: float
    seed: int
    validation: ValidationSample | None
    guard: bool
    base: str = "policy"

    @property
    def has_relative_rates(self) -> bool:
        """Returns whether rates move layers by a share of their weights."""
        return self.base == "policy" and self.policy.metadata.action_set.is_relative

    def suited_to(self, optimizer: keras.optimizers.Optimizer) -> Self:
        """Returns the settings for an optimizer: some keep their own rate, always.

        Args:
            optimizer: The innermost one.
        """
        if not self.has_relative_rates or follows_rate(optimizer):
            return self
        return replace(self, base="optimizer")

    def starting_point(
        self, learning_rate: float, weight_decay: float, progress: float = 0.0
    ) -> StartingPoint:
        """Returns what all layers have before the first decision.

        Args:
            learning_rate: The rate that the user compiled with.
            weight_decay: The weight decay that the user compiled with, 0 without.
            progress: Above 0 for a fit that begins at a later epoch, in [0, 1].
        """
        start = self.policy.metadata.action_set.starting_point(
            learning_rate, weight_decay, self.bounds, progress
        )
        if self.base == "optimizer":
            return start._replace(learning_rate=learning_rate)
        return start

    def facts(self, optimizer: object) -> FitFacts:
        """Returns what is known of a fit before it begins."""
        action_set = self.policy.metadata.action_set
        is_own = self.base == "policy"
        return FitFacts(
            policy=self.policy.metadata.name,
            optimizer=type(optimizer).__name__,
            knows_pretrained=action_set.is_relative and is_own,
            follows_optimizer=not is_own,
            is_guarded=self.guard,
        )


def complete_settings(  # noqa: PLR0913  the arguments of GANNO
    policy: Any,
    interval: int | None,
    bounds: tuple[float, float] | None,
    temperature: float | None,
    seed: int,
    validation: ValidationSample | None,
    guard: bool,
    base: str = "policy",
) -> ControlSettings:
    """Checks the arguments of `GANNO` and fills in what was left out.

    Raises:
        TypeError: If an argument is of another kind.
        ValueError: If an argument is out of its range, or there is no such policy.
    """
    chosen = policy if _is_policy(policy) else load_policy(policy)
    own = chosen.metadata
    base = _check_base(base, own)
    # The policy's bounds are of its own rates, and the user's are to be kept.
    usual = _NO_BOUNDS if base == "optimizer" else own.learning_rate_bounds
    return ControlSettings(
        policy=chosen,
        interval=_whole("interval", own.interval if interval is None else interval, 1),
        bounds=check_learning_rate_bounds(usual if bounds is None else bounds),
        temperature=_check_temperature(
            own.default_temperature if temperature is None else temperature
        ),
        seed=_whole("seed", seed, 0),
        validation=validation,
        guard=_check_guard(guard),
        base=base,
    )


def _is_policy(policy: object) -> bool:
    return all(hasattr(policy, name) for name in ("metadata", "initial_state", "act"))


def _whole(name: str, value: Any, minimum: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} is {value!r} of type {type(value).__name__}; a whole number of at "
            f"least {minimum} is needed."
        ) from None
    if not minimum <= number <= _LARGEST_SEED:
        raise ValueError(
            f"{name} is {value!r}; a whole number from {minimum} to {_LARGEST_SEED} is "
            "needed."
        )
    return number


def _check_temperature(value: Any) -> float:
    temperature = float(value)
    if not 0.0 <= temperature < math.inf:
        raise ValueError(
            f"temperature is {value!r}; a number of at least 0 is needed: 0 takes the "
            "likeliest actions, 1 draws them as in the policy's training."
        )
    return temperature


def _check_guard(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(
            f"guard is {value!r} of type {type(value).__name__}; True or False is "
            "needed."
        )
    return value


def _check_base(value: Any, metadata: PolicyMetadata) -> str:
    if value not in _BASES:
        raise ValueError(
            f"base is {value!r}; one of {_BASES} is needed: 'policy' for the rates that"
            " the policy was made with, 'optimizer' for those of the optimizer."
        )
    if value == "optimizer" and not metadata.action_set.is_made_of_factors:
        raise ValueError(
            f"base is 'optimizer', and the policy {metadata.name!r} has actions that "
            "are no factors. It starts from the optimizer's learning rate anyway: leave"
            " base out, or pass a policy whose actions are factors."
        )
    return str(value)
