# SPDX-License-Identifier: Apache-2.0
"""Operations on the learning rate and the weight decay of a layer."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from ganno_keras.control.anchor.relative_anchor import RelativeAnchor
from ganno_keras.control.anchor.update_ratios import UNMEASURED_RATE
from ganno_keras.control.base_schedule import BaseSchedule

NO_OP: Final = 0
"""Index of the action that keeps the current rate, or the rate of the base schedule."""


class LearningRateBounds(NamedTuple):
    """Lowest and highest learning rate that an action can lead to."""

    minimum: float
    maximum: float


DEFAULT_LEARNING_RATE_BOUNDS: Final = LearningRateBounds(0.0, 0.01)


_OPERATORS: Final[Mapping[str, Callable[[Any, float], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


_SIGNS: Final[Mapping[str, str]] = {
    "+": "+",
    "-": "\N{MINUS SIGN}",
    "*": "\N{MULTIPLICATION SIGN}",
    "/": "\N{DIVISION SIGN}",
}


class Operation(NamedTuple):
    """One arithmetic change of a learning rate, such as `("*", 1.1)`."""

    symbol: str
    amount: float

    def __call__(self, learning_rates: np.ndarray) -> np.ndarray:
        """Returns the changed learning rates, not yet clipped."""
        changed: np.ndarray = _OPERATORS[self.symbol](learning_rates, self.amount)
        return changed

    def __str__(self) -> str:
        """Formats the operation for readers, such as "no change" or "+ 0.0005"."""
        if self == Operation("+", 0.0):
            return "no change"
        digits = 2 if self.symbol in "*/" else 4
        return f"{_SIGNS[self.symbol]} {self.amount:.{digits}f}"


class StartingPoint(NamedTuple):
    """The learning rate and weight decay of all layers before the first decision."""

    learning_rate: float
    weight_decay: float  # 0 if the optimizer has none


class WeightDecays(NamedTuple):
    """The values that the actions of a set can give the decoupled weight decay.

    Each action sets the weight decay anew from `base`, so that no decision outlives the
    next. An optimizer without weight decay keeps none. In a relative action set these
    are totals: sums of `rate * decay` over the training, whatever the rates are.
    """

    base: float  # of all layers before the first decision
    factors: tuple[float, ...]  # on the base, by action; the first of them is 1


@dataclass(frozen=True)
class ActionSet:
    """An ordered list of operations; an action is an index into it.

    A policy names the set that it was trained with, and the callback applies that set.
    Index 0 is the no-op. The difference reward compares with a rollout of no-ops.

    Without a base schedule, operations change the layer's current rate. With one, they
    change the schedule's current rate, so that no decision outlives the next.

    Args:
        name: The name under which policies refer to the set.
        operations: The operations by index, the first of which changes nothing.
        base: The schedule whose rate the operations change; None for the layer's rate.
        decays: The weight decays that the actions set; None if they set none.
        anchor: The relative anchor that the operations are factors on, whose rates
            move each layer by a share of its weights; None for absolute rates.

    Raises:
        ValueError: If the first operation is not `("+", 0.0)`, there is not one factor
            of the weight decay for each operation, or a relative set has a base
            schedule or an operation that is no factor.

    Example:

        >>> import numpy as np
        >>> from ganno_keras.control.action_sets import get_action_set
        >>> actions = get_action_set("paper")
        >>> bounds = LearningRateBounds(0.0, 0.01)
        >>> actions.apply(np.array([0, 2]), np.array([0.001, 0.001]), bounds, 0.5)
        array([0.001 , 0.0011])

    Paper: section 4 "Actions" and Appendix A.  Deviation: the result is clipped, and
    there may be a base schedule.
    """

    name: str
    operations: tuple[Operation, ...]
    base: BaseSchedule | None = None
    decays: WeightDecays | None = None
    anchor: RelativeAnchor | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        if self.is_relative and (self.base or not self.is_made_of_factors):
            raise ValueError(
                f"The relative action set {self.name!r} has the base {self.base} and "
                f"the operations {self.operations}. Give it factors alone, and no base."
            )
        if self.decays and len(self.decays.factors) != len(self.operations):
            raise ValueError(
                f"Action set {self.name!r} has {len(self.operations)} operations and "
                f"{len(self.decays.factors)} factors of the weight decay. Give each "
                "operation one."
            )
        if not self.operations or self.operations[NO_OP] != Operation("+", 0.0):
            raise ValueError(
                f"Action set {self.name!r} starts with {self.operations[:1]}; index "
                "0 has to be the no-op Operation('+', 0.0). Put it first."
            )

    @property
    def is_relative(self) -> bool:
        """Returns whether the operations are factors on a relative anchor."""
        return self.anchor is not None

    @property
    def is_made_of_factors(self) -> bool:
        """Returns whether each operation but the no-op multiplies or divides."""
        return all(change.symbol in "*/" for change in self.operations[1:])

    @property
    def has_own_rates(self) -> bool:
        """Returns whether the optimizer's learning rate is ignored."""
        return self.base is not None or self.is_relative

    @property
    def num_actions(self) -> int:
        """Returns the number of actions that an agent chooses from."""
        return len(self.operations)

    def apply(
        self,
        actions: np.ndarray,
        learning_rates: np.ndarray,
        bounds: LearningRateBounds,
        progress: float,
    ) -> np.ndarray:
        """Applies one action for each agent.

        Args:
            actions: Indices, int `[num_agents]`.
            learning_rates: Current rates, float64 `[num_agents]`.
            bounds: Limits of the result. Without a base schedule, a no-op is not
                clipped.
            progress: Share of the planned updates that is done, in [0, 1].

        Returns:
            The new rates, float64 `[num_agents]`.
        """
        if self.is_relative:  # whose rates the anchor knows
            return learning_rates
        starts = self._starts(learning_rates, progress)
        candidates = np.stack([change(starts) for change in self.operations])
        chosen = np.take_along_axis(candidates, actions[np.newaxis], axis=0)[0]
        clipped = np.clip(chosen, bounds.minimum, bounds.maximum)
        if self.base:
            return clipped
        return np.where(actions == NO_OP, learning_rates, clipped)

    def factors(self, actions: np.ndarray) -> np.ndarray:
        """Returns the factors on an anchor's rates, in a set made of factors.

        Args:
            actions: Indices, int `[num_agents]`.

        Returns:
            float64 `[num_agents]`.
        """
        one = np.ones(1)
        return np.concatenate([change(one) for change in self.operations])[actions]

    def starting_point(
        self,
        learning_rate: float,
        weight_decay: float,
        bounds: LearningRateBounds,
        progress: float = 0.0,
    ) -> StartingPoint:
        """Returns the learning rate and weight decay before the first decision.

        A base schedule takes effect before the first decision. Until then, a rate that
        is much too high could do lasting harm.

        Args:
            learning_rate: The optimizer's learning rate.
            weight_decay: The optimizer's weight decay, 0 if it has none.
            bounds: Limits of a base schedule's rate.
            progress: Share of the planned updates that is done, in [0, 1]. It is above
                0 for a fit that begins at a later epoch.
        """
        if self.base is not None:
            learning_rate = float(np.clip(self.base(progress), *bounds))
        if self.is_relative:
            learning_rate = UNMEASURED_RATE
        if self.decays is not None and weight_decay > 0.0:
            weight_decay = self.decays.base
        return StartingPoint(learning_rate, weight_decay)

    def weight_decays(self, actions: np.ndarray) -> np.ndarray:
        """Returns the weight decays that the actions set.

        Args:
            actions: Indices, int `[num_agents]`.

        Returns:
            float64 `[num_agents]`.

        Raises:
            ValueError: If the set leaves the weight decay alone.
        """
        if self.decays is None:
            raise ValueError(
                f"The action set {self.name!r} leaves the weight decay alone. Ask it "
                "for `decays` first."
            )
        return self.decays.base * np.array(self.decays.factors)[actions]

    def label(self, action: int) -> str:
        """Names the effect of an action on the rate: "+ 0.0005", "base schedule"."""
        operation = self.operations[action]
        if self.base and operation == self.operations[NO_OP]:
            return "base schedule"
        if self.is_relative and operation == self.operations[NO_OP]:
            return "anchor"
        return str(operation)

    def _starts(self, learning_rates: np.ndarray, progress: float) -> np.ndarray:
        if self.base is None:
            return learning_rates
        return np.full_like(learning_rates, self.base(progress))


def check_learning_rate_bounds(bounds: tuple[float, float]) -> LearningRateBounds:
    """Checks a pair that a user gave and converts it to bounds.

    Raises:
        ValueError: If the pair is not 0 <= minimum < maximum < infinity.

    Example:

        >>> check_learning_rate_bounds((0.0, 0.1))
        LearningRateBounds(minimum=0.0, maximum=0.1)
    """
    values = np.asarray(bounds, dtype=np.float64)
    ordered = values.shape == (2,) and 0.0 <= values[0] < values[1] < np.inf
    if not ordered:
        raise ValueError(
            f"learning_rate_bounds is {bounds!r}; a pair (minimum, maximum) with "
            "0 <= minimum < maximum is needed, such as (0.0, 0.01)."
        )
    return LearningRateBounds(float(values[0]), float(values[1]))
