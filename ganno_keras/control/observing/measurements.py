# SPDX-License-Identifier: Apache-2.0
"""The measurements of a training, and the statistics of its layers.

The graph computes a few sums for each layer group, and this module derives the
statistics from them in float64. The sums are float32, so a variance far below 1e-7 of
the mean square is rounding error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ganno_keras.control.observing.loss_course import LossCourse

Array = npt.NDArray[np.float64]

STATISTICS_SUMS: Final = (
    "weights",
    "weight_squares",
    "gradient_squares",
    "update_squares",
    "momentum_products",
    "momentum_squares",
)
"""The sums that the graph computes for each layer group, by place on the last axis."""


class TrainingLength(NamedTuple):
    """The planned length of a training."""

    num_updates: float
    epochs: float  # passes over the samples, at least 1
    batch_size: float  # samples of an update


@dataclass(frozen=True)
class Measurements:
    """The losses, accuracies and layer statistics at the end of a timestep.

    Args:
        train_loss: Mean training loss over the updates of the timestep.
        train_accuracy: Mean training accuracy in [0, 1]; None if there is none.
        validation_loss: Loss on the held-out sample; None without such a sample.
        validation_accuracy: Accuracy on the held-out sample; None if there is none.
        progress: Share of the planned updates that is done, in [0, 1].
        statistics: Layer statistics at the last update, by layer group.
        losses: The training loss in parts of the timestep; None if nobody asked.
        length: How long the training is; None as long as that is unknown.
    """

    train_loss: float
    train_accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    progress: float
    statistics: LayerStatistics
    losses: LossCourse | None = None
    length: TrainingLength | None = None

    @property
    def loss_is_finite(self) -> bool:
        """Returns whether every known loss is finite."""
        known = [self.train_loss, self.validation_loss]
        return bool(np.isfinite([loss for loss in known if loss is not None]).all())


@dataclass(frozen=True)
class LayerStatistics:
    """The statistics of all layer groups at one update; every field is float64.

    Values that are NaN or infinite in the network stay NaN or infinite.

    Args:
        weight_mean: Mean of the group's weights.
        weight_variance: Population variance of the group's weights, at least 0.
        weight_norm: Euclidean norm of the weights.
        gradient_norm: Norm of the gradient as the optimizer used it: after all-reduce,
            accumulation, loss unscaling and clipping.
        update_norm: Norm of the update direction: the change of the weights divided by
            the learning rate, without weight decay.
        trust_ratio: `weight_norm / update_norm`, and 1 where a norm is 0.
        coherence: Cosine between the gradient and the running mean of the gradients
            before it; 0 where the optimizer keeps none.

    Paper: appendix A, local observations.
    """

    weight_mean: Array  # [..., num_groups]
    weight_variance: Array  # [..., num_groups]
    weight_norm: Array  # [..., num_groups]
    gradient_norm: Array  # [..., num_groups]
    update_norm: Array  # [..., num_groups]
    trust_ratio: Array  # [..., num_groups]
    coherence: Array  # [..., num_groups]

    @classmethod
    def from_sums(
        cls, sums: npt.ArrayLike, num_weights: npt.ArrayLike
    ) -> LayerStatistics:
        """Computes the statistics from the sums of the graph.

        Args:
            sums: `[..., num_groups, num_sums]`, in the order of `STATISTICS_SUMS`.
            num_weights: `[num_groups]`: how many numbers each group holds, at least 1.

        Returns:
            The statistics, each `[..., num_groups]`.

        Raises:
            ValueError: The last axes do not match `[num_groups, num_sums]`.

        Example:

            >>> sums = [[4.0, 10.0, 9.0, 2.5, 3.0, 4.0]]
            >>> statistics = LayerStatistics.from_sums(sums, [2])
            >>> statistics.trust_ratio, statistics.coherence
            (array([2.]), array([0.5]))
        """
        sums = np.asarray(sums, np.float64)
        count = np.asarray(num_weights, np.float64)
        if sums.shape[-2:] != (*count.shape, len(STATISTICS_SUMS)):
            raise ValueError(
                f"Received sums of shape {sums.shape} for {count.shape} groups. Pass "
                f"sums of shape [..., num_groups, {len(STATISTICS_SUMS)}] and "
                "num_weights of [num_groups]."
            )
        weights, *squares, products, momenta = np.moveaxis(sums, -1, 0)
        # Infinite weights give infinity minus infinity: NaN is then the right answer.
        with np.errstate(invalid="ignore", over="ignore"):
            mean = weights / count
            variance = np.maximum(squares[0] / count - mean**2, 0.0)
            weight_norm, gradient_norm, update_norm = np.sqrt(squares)
            trust_ratio = _trust_ratio(weight_norm, update_norm)
        norms = (weight_norm, gradient_norm, update_norm)
        coherence = _coherence(products, squares[1], momenta)
        return cls(mean, variance, *norms, trust_ratio, coherence)


def _trust_ratio(weight_norm: Array, update_norm: Array) -> Array:
    """Returns the trust ratio of LAMB, 1 where a norm is 0."""
    undefined = (weight_norm == 0) | (update_norm == 0)
    return np.where(undefined, 1.0, weight_norm / np.where(undefined, 1.0, update_norm))


_NO_MOMENTUM: Final = 1e-12
"""By the squared gradient; a smaller squared momentum is rounding error."""


def _coherence(products: Array, gradients: Array, momenta: Array) -> Array:
    """Returns the cosines, 0 where there is no gradient or no momentum.

    Args:
        products: Inner products of gradient and momentum.
        gradients: Squared norms of the gradient.
        momenta: Squared norms of the momentum.
    """
    is_known = (gradients > 0) & (momenta > _NO_MOMENTUM * gradients)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        cosine = products / (np.sqrt(gradients) * np.sqrt(momenta))
    return np.where(is_known & np.isfinite(cosine), np.clip(cosine, -1.0, 1.0), 0.0)
