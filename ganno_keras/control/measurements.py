# SPDX-License-Identifier: Apache-2.0
"""What an agent sees of its layer: norms of weights, gradient and update.

The graph hands over a few sums for each layer group; the arithmetic on them is done
here in float64. The sums themselves are float32, so a variance far below 1e-7 of the
mean square is rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STATISTICS_SUMS: Final = (
    "weights",
    "weight_squares",
    "gradient_squares",
    "update_squares",
)
"""What the graph sums up for each layer group, in the order of the last axis."""


@dataclass(frozen=True)
class Measurements:
    """What is known of a training at the end of a timestep.

    Args:
        train_loss: Mean over the updates of the timestep.
        train_accuracy: The same for the accuracy in [0, 1]; None if there is none.
        validation_loss: On the held-out sample; None if there is no such sample.
        validation_accuracy: The same for the accuracy; None if there is none.
        progress: Updates done by updates planned, in [0, 1].
        statistics: Of the last update, one entry for each layer group.
    """

    train_loss: float
    train_accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    progress: float
    statistics: LayerStatistics

    @property
    def loss_is_finite(self) -> bool:
        """Whether every known loss is a number."""
        known = [self.train_loss, self.validation_loss]
        return bool(np.isfinite([loss for loss in known if loss is not None]).all())


@dataclass(frozen=True)
class LayerStatistics:
    """The statistics of all layer groups at one update; every field is float64.

    Values that are NaN or infinite in the network stay so here.

    Args:
        weight_mean: Mean of the group's weights.
        weight_variance: Population variance of the group's weights, at least 0.
        weight_norm: Euclidean norm of the weights.
        gradient_norm: Norm of the gradient as the optimizer used it: after all-reduce,
            accumulation, loss unscaling and clipping.
        update_norm: Norm of the update direction: the change of the weights divided by
            the learning rate, without weight decay.
        trust_ratio: `weight_norm / update_norm`, and 1 where a norm is 0.

    Paper: appendix A, local observations.
    """

    weight_mean: Array  # [..., num_groups]
    weight_variance: Array  # [..., num_groups]
    weight_norm: Array  # [..., num_groups]
    gradient_norm: Array  # [..., num_groups]
    update_norm: Array  # [..., num_groups]
    trust_ratio: Array  # [..., num_groups]

    @classmethod
    def from_sums(
        cls, sums: npt.ArrayLike, num_weights: npt.ArrayLike
    ) -> LayerStatistics:
        """Computes the statistics from what the graph summed up.

        Args:
            sums: `[..., num_groups, num_sums]`, in the order of `STATISTICS_SUMS`.
            num_weights: `[num_groups]`: how many numbers each group holds, at least 1.

        Returns:
            The statistics, each `[..., num_groups]`.

        Raises:
            ValueError: The last axes do not match `[num_groups, num_sums]`.

        Example:

            >>> LayerStatistics.from_sums([[4.0, 10.0, 9.0, 2.5]], [2]).trust_ratio
            array([2.])
        """
        sums = np.asarray(sums, np.float64)
        count = np.asarray(num_weights, np.float64)
        if sums.shape[-2:] != (*count.shape, len(STATISTICS_SUMS)):
            raise ValueError(
                f"Received sums of shape {sums.shape} for {count.shape} groups. Pass "
                f"sums of shape [..., num_groups, {len(STATISTICS_SUMS)}] and "
                "num_weights of [num_groups]."
            )
        weights, *squares = np.moveaxis(sums, -1, 0)
        # Infinite weights give infinity minus infinity: NaN is then the right answer.
        with np.errstate(invalid="ignore", over="ignore"):
            mean = weights / count
            variance = np.maximum(squares[0] / count - mean**2, 0.0)
            weight_norm, gradient_norm, update_norm = np.sqrt(squares)
            trust_ratio = _trust_ratio(weight_norm, update_norm)
        return cls(mean, variance, weight_norm, gradient_norm, update_norm, trust_ratio)


def _trust_ratio(weight_norm: Array, update_norm: Array) -> Array:
    """The ratio of LAMB; the denominator is guarded, so that no infinity arises."""
    undefined = (weight_norm == 0) | (update_norm == 0)
    return np.where(undefined, 1.0, weight_norm / np.where(undefined, 1.0, update_norm))
