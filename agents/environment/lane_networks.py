# SPDX-License-Identifier: Apache-2.0
"""The networks of all lanes: one Keras model that is called with many weights.

`UnrolledNetworks` adds a call of the model to the graph for each lane. `MappedNetworks`
adds one for all of them, in which the lanes are an axis of the arrays. A layer is then
one batched product, and a graph of hundreds of lanes is no larger than one of a single
lane.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from .lane_layout import LaneLayout

Losses = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Returns the loss of each output, given targets and outputs."""


class Backward(NamedTuple):
    """What one update of all lanes needs."""

    gradient: tf.Tensor  # of each weight, in the order of the layout
    losses: tf.Tensor  # [num_lanes]
    outputs: tf.Tensor  # [num_lanes, batch_size, ...]


class LaneNetworks(ABC):
    """A model with the weights of every lane.

    Args:
        model: Any Keras model that is built.
        layout: The order of its weights in the vector of all lanes.
        losses: The loss of the model.
    """

    def __init__(self, model: keras.Model, layout: LaneLayout, losses: Losses) -> None:
        self._model = model
        self._layout = layout
        self._losses = losses

    @abstractmethod
    def backward(
        self, vector: tf.Tensor, inputs: tf.Tensor, targets: tf.Tensor
    ) -> Backward:
        """Adds the gradients of all lanes to the graph, each on its own minibatch.

        Args:
            vector: The weights of all lanes.
            inputs: `[num_lanes, batch_size, ...]`.
            targets: `[num_lanes, batch_size, ...]`.
        """

    @abstractmethod
    def outputs(
        self, vector: tf.Tensor, inputs: tf.Tensor, is_by_lane: bool
    ) -> tf.Tensor:
        """Adds what the networks tell to the graph, `[num_lanes, num_samples, ...]`.

        Args:
            vector: The weights of all lanes.
            inputs: `[num_samples, ...]`, or with an axis of lanes before it.
            is_by_lane: Whether each lane has inputs of its own.
        """

    @abstractmethod
    def restore(
        self, others: Sequence[Sequence[tf.Tensor]], sources: Sequence[int]
    ) -> None:
        """Gives each lane the moving statistics and seeds of a source.

        Args:
            others: Those of each source, in the model's order.
            sources: The place of the source of each lane.
        """

    @abstractmethod
    def others(self) -> list[list[tf.Tensor]]:
        """Returns copies of the moving statistics and seeds of each lane."""

    def mean_losses(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Returns the mean loss of each lane, `[num_lanes]`."""
        losses = self._losses(targets, outputs)
        by_lane = tf.reshape(losses, [self._layout.num_lanes, -1])
        return tf.reduce_mean(by_lane, axis=1)


class UnrolledNetworks(LaneNetworks):
    """Calls the model once for each lane: for networks of any layers."""

    def __init__(self, model: keras.Model, layout: LaneLayout, losses: Losses) -> None:
        super().__init__(model, layout, losses)
        self._others = [
            [tf.Variable(v.value) for v in model.non_trainable_variables]
            for _ in range(layout.num_lanes)
        ]

    def backward(
        self, vector: tf.Tensor, inputs: tf.Tensor, targets: tf.Tensor
    ) -> Backward:
        """Adds a tape for each lane."""
        lanes = self._layout.split(vector)
        gradients, losses, outputs = zip(
            *map(
                self._backward_of,
                range(len(lanes)),
                lanes,
                tf.unstack(inputs),
                tf.unstack(targets),
            ),
            strict=True,
        )
        return Backward(
            self._layout.join(gradients), tf.stack(losses), tf.stack(outputs)
        )

    def _backward_of(
        self, lane: int, weights: list[tf.Tensor], inputs: tf.Tensor, targets: tf.Tensor
    ) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(weights)
            outputs = self._call(lane, weights, inputs, training=True)
            loss = tf.reduce_mean(self._losses(targets, outputs))
        gradients = tape.gradient(
            loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return gradients, loss, outputs

    def outputs(
        self, vector: tf.Tensor, inputs: tf.Tensor, is_by_lane: bool
    ) -> tf.Tensor:
        """Adds a call for each lane."""
        lanes = self._layout.split(vector)
        each = tf.unstack(inputs) if is_by_lane else [inputs] * len(lanes)
        return tf.stack(
            [
                self._call(lane, weights, own, training=False)
                for lane, (weights, own) in enumerate(zip(lanes, each, strict=True))
            ]
        )

    def restore(
        self, others: Sequence[Sequence[tf.Tensor]], sources: Sequence[int]
    ) -> None:
        """Sets the variables of each lane."""
        for source, variables in zip(sources, self._others, strict=True):
            for variable, value in zip(variables, others[source], strict=True):
                variable.assign(value)

    def others(self) -> list[list[tf.Tensor]]:
        """Returns the values of each lane's variables."""
        return [[tf.identity(v) for v in lane] for lane in self._others]

    def _call(
        self, lane: int, weights: list[tf.Tensor], inputs: tf.Tensor, training: bool
    ) -> tf.Tensor:
        outputs, others = self._model.stateless_call(
            weights, [v.value() for v in self._others[lane]], inputs, training=training
        )
        if training:
            for variable, value in zip(self._others[lane], others, strict=True):
                variable.assign(value)
        return outputs


class MappedNetworks(LaneNetworks):
    """Calls the model once for all lanes: for layers that TensorFlow can vectorise.

    These are dense, recurrent, normalisation, attention and embedding layers. Kernels
    of convolutions cannot have an axis of lanes, nor can the seeds of a dropout.
    """

    def __init__(self, model: keras.Model, layout: LaneLayout, losses: Losses) -> None:
        super().__init__(model, layout, losses)
        self._others = [
            tf.Variable(tf.stack([v.value] * layout.num_lanes))
            for v in model.non_trainable_variables
        ]

    def backward(
        self, vector: tf.Tensor, inputs: tf.Tensor, targets: tf.Tensor
    ) -> Backward:
        """Adds one tape, whose losses are summed: no lane's depends on another's."""
        with tf.GradientTape() as tape:
            tape.watch(vector)
            outputs = self._call(vector, inputs, is_by_lane=True, training=True)
            losses = self.mean_losses(targets, outputs)
            total = tf.reduce_sum(losses)
        return Backward(tape.gradient(total, vector), losses, outputs)

    def outputs(
        self, vector: tf.Tensor, inputs: tf.Tensor, is_by_lane: bool
    ) -> tf.Tensor:
        """Adds one call."""
        return self._call(vector, inputs, is_by_lane, training=False)

    def restore(
        self, others: Sequence[Sequence[tf.Tensor]], sources: Sequence[int]
    ) -> None:
        """Sets the variables, each of which holds the values of all lanes."""
        for number, variable in enumerate(self._others):
            variable.assign(tf.stack([others[source][number] for source in sources]))

    def others(self) -> list[list[tf.Tensor]]:
        """Returns the values of each lane."""
        lanes = range(self._layout.num_lanes)
        return [[variable[lane] for variable in self._others] for lane in lanes]

    def _call(
        self, vector: tf.Tensor, inputs: tf.Tensor, is_by_lane: bool, training: bool
    ) -> tf.Tensor:
        kept = [variable.value() for variable in self._others]
        weights = self._layout.stacked(vector)
        by_lane = (weights, kept, inputs) if is_by_lane else (weights, kept)

        def call(own: tuple[Any, ...]) -> Any:
            own_weights, others, *rest = own
            [seen] = rest or [inputs]  # what all lanes see is not copied
            return self._model.stateless_call(
                own_weights, others, seen, training=training
            )

        try:
            outputs, others = tf.vectorized_map(
                call, by_lane, fallback_to_while_loop=False
            )
        except ValueError as error:
            raise ValueError(
                f"The lanes of {self._model.name!r} cannot be an axis of the arrays: "
                f"{error}. Set maps_lanes to false, or build it of other layers."
            ) from error
        if training:
            for variable, value in zip(self._others, others, strict=True):
                variable.assign(value)
        return outputs
