# SPDX-License-Identifier: Apache-2.0
"""The traits of an optimizer that relative rates depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:  # `ganno info` reads anchors without waiting for Keras
    import keras

_OF_OWN_SIZE: Final = {"Adam", "Lion", "Nadam", "RMSprop"}
"""Keras' optimizers that divide gradients, or running means of them, by the size that
gradients have now. Their subclasses count as they do. Adamax and AMSGrad divide by the
largest so far, beside which gradients may become small; steps of Lamb are as large as
the weights."""

_DO_NOT_FOLLOW_RATE: Final = {"Ftrl"}
"""Keras' optimizers whose state divides by the rates of all steps before. Ftrl makes
each weight anew of that state, so a step has no size of its own."""

LARGEST_EPSILON: Final = 1e-5
"""Beyond it, gradients are often divided by it, and directions are as small as they."""

STEADY_MOMENTUM: Final = 0.5
"""From here on steps of a size of their own change little from one to the next."""


class OptimizerTraits(NamedTuple):
    """What an optimizer's steps are like.

    Args:
        momentum: What it keeps of the last step's direction, in [0, 1).
        has_own_size: Whether its directions are of a size around 1, as far as gradients
            are above the optimizer's epsilon.
    """

    momentum: float = 0.0
    has_own_size: bool = False

    @property
    def is_steady(self) -> bool:
        """Returns whether the size of its steps changes little from one to the next."""
        return self.has_own_size and self.momentum >= STEADY_MOMENTUM


def optimizer_traits(optimizer: keras.optimizers.Optimizer) -> OptimizerTraits:
    """Finds the traits of an optimizer.

    The momentum is `beta_1` of Adam and its relatives, `momentum` of the others, and 0
    of those that average no gradients.

    Args:
        optimizer: Any, built or not.

    Example:

        >>> import keras
        >>> optimizer_traits(keras.optimizers.SGD(momentum=0.5))
        OptimizerTraits(momentum=0.5, has_own_size=False)
    """
    own = getattr(optimizer, "momentum", 0.0) or getattr(optimizer, "beta_1", 0.0)
    is_usual = isinstance(own, float | int) and 0.0 <= own < 1.0
    momentum = float(own) if is_usual else 0.0
    has_own_size = (
        bool(_classes(optimizer) & _OF_OWN_SIZE)
        and not getattr(optimizer, "amsgrad", False)
        and getattr(optimizer, "epsilon", 0.0) <= LARGEST_EPSILON
    )
    return OptimizerTraits(momentum, has_own_size)


def follows_rate(optimizer: keras.optimizers.Optimizer) -> bool:
    """Returns whether the size of each step is in proportion to the rate.

    Args:
        optimizer: Any, built or not.

    Example:

        >>> import keras
        >>> follows_rate(keras.optimizers.SGD()), follows_rate(keras.optimizers.Ftrl())
        (True, False)
    """
    return not _classes(optimizer) & _DO_NOT_FOLLOW_RATE


def _classes(optimizer: keras.optimizers.Optimizer) -> set[str]:
    """Returns the names of Keras' classes that an optimizer is of."""
    classes = type(optimizer).__mro__
    return {it.__name__ for it in classes if it.__module__.startswith("keras.")}
