# SPDX-License-Identifier: Apache-2.0
"""Updates all lanes at once with one Keras optimizer and a rate for every weight."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from ganno_keras.control.observing.measurements import STATISTICS_SUMS
from ganno_keras.optimizers.update_directions import (
    LastStep,
    holds_rate_in_state,
    momentum_before,
    update_direction,
)

from .lane_layout import LaneLayout

ACROSS_WEIGHTS = (keras.optimizers.Muon,)
"""Optimizers whose update of one weight depends on the weights beside it."""


class LaneOptimizer:
    """One optimizer of Keras over the long vector of a `LaneLayout`.

    Keras' own `update_step` gets a vector of learning rates instead of a number. So the
    update of one weight may depend on that weight, its gradient and its slots only.

    Args:
        optimizer: A new optimizer of Keras.
        layout: The layout of the vector.

    Raises:
        ValueError: If the optimizer does not update each weight on its own.
    """

    def __init__(
        self, optimizer: keras.optimizers.Optimizer, layout: LaneLayout
    ) -> None:
        direction = update_direction(optimizer)
        if direction is None or isinstance(optimizer, ACROSS_WEIGHTS):
            raise ValueError(
                f"Inner trainings cannot use the optimizer {optimizer.name!r}, whose "
                "update of a weight depends on other weights. Use one that does not, "
                "such as 'adam', 'sgd', 'rmsprop' or 'lion'."
            )
        self._layout = layout
        self._direction = direction
        self._freezes = holds_rate_in_state(optimizer)
        self.weights = keras.Variable(np.zeros(layout.size, np.float32), name="lanes")
        optimizer.build([self.weights])
        self._optimizer = optimizer
        self._initial_state = [
            keras.ops.convert_to_numpy(variable) for variable in self.state
        ]

    @property
    def state(self) -> list[keras.Variable]:
        """Slots, each as long as the weights, and the count of updates."""
        rate = self._optimizer._learning_rate
        return [v for v in self._optimizer.variables if v is not rate]

    @property
    def vectors(self) -> list[keras.Variable]:
        """Weights, and the slots that hold a number for each weight."""
        slots = [v for v in self.state if self._is_by_lane(v)]
        return [self.weights, *slots]

    def restart(self) -> None:
        """Forgets all slots and counts."""
        for variable, value in zip(self.state, self._initial_state, strict=True):
            variable.assign(value)

    def snapshot(self) -> list[tf.Tensor]:
        """Returns the values of weights and state, those of lanes side by side."""
        rows = [self._layout.num_lanes, -1]
        return [
            tf.reshape(it.value, rows) if self._is_by_lane(it) else tf.identity(it)
            for it in (self.weights, *self.state)
        ]

    def restore(self, snapshot: Sequence[tf.Tensor], sources: Sequence[int]) -> None:
        """Gives each lane what a lane of a snapshot had.

        Args:
            snapshot: Of this optimizer, or of an equal one with other lanes.
            sources: The lane of the snapshot for each lane.
        """
        for it, value in zip((self.weights, *self.state), snapshot, strict=True):
            if self._is_by_lane(it):
                value = tf.reshape(tf.gather(value, sources), [-1])
            it.assign(value)

    def _is_by_lane(self, variable: keras.Variable) -> bool:
        return bool(variable.shape == self.weights.shape)

    def update(self, gradient: tf.Tensor, rates: tf.Tensor, decays: tf.Tensor) -> None:
        """Adds one update of all lanes to the graph.

        Args:
            gradient: The gradient of each weight.
            rates: The learning rate of each weight.
            decays: The decoupled weight decay of each weight, times its rate.
        """
        # Where past rates are part of the state, a rate of 0 must not change it.
        kept = self.vectors if self._freezes else []
        before = [tf.identity(variable.value) for variable in kept]
        self.weights.value.assign_sub(self.weights.value * decays)
        self._optimizer.update_step(gradient, self.weights, rates)
        for variable, value in zip(kept, before, strict=True):
            variable.assign(tf.where(rates > 0, variable.value, value))
        self._optimizer.iterations.assign_add(1)

    def statistics_sums(self, gradient: tf.Tensor, rates: tf.Tensor) -> tf.Tensor:
        """Adds the sums of the layer statistics to the graph.

        Args:
            gradient: The gradient of the last update.
            rates: The rates of the last update.

        Returns:
            The sums that `LayerStatistics.from_sums` takes, `[num_lanes, num_groups,
            num_sums]`.
        """
        divisors = tf.where(rates > 0, rates, 1.0)
        number = self._optimizer.iterations
        step = LastStep(self._optimizer, 0, number, gradient, divisors)
        update = self._direction(step)
        momentum = momentum_before(self._direction, step)
        if momentum is None:
            momentum = tf.zeros_like(gradient)
        if self._freezes:  # the slots stand still, so nothing was added to them
            momentum = tf.where(rates > 0, momentum, 0.0)
        weights = self.weights.value
        summed = {
            "weights": weights,
            "weight_squares": weights**2,
            "gradient_squares": gradient**2,
            "update_squares": update**2,
            "momentum_products": gradient * momentum,
            "momentum_squares": momentum**2,
        }
        sums = [self._layout.group_sums(summed[name]) for name in STATISTICS_SUMS]
        return tf.stack(sums, axis=-1)
