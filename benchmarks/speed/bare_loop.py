# SPDX-License-Identifier: Apache-2.0
"""Trains the two-layer CNN in a hand-written loop, as a bound on the speed.

It has no Keras, no layerwise rates and no statistics. Plain TensorFlow operations run
Adam with decoupled weight decay, all lanes side by side in one loop.
"""

from __future__ import annotations

import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


class BareLane:
    """The weights and slots of one two-layer CNN.

    Args:
        filters: The filters of its 5 x 5 convolution of stride 2.
        num_classes: The number of logits.
        image_size: The height and width of its images, which have one channel.
    """

    def __init__(
        self, filters: int = 8, num_classes: int = 10, image_size: int = 28
    ) -> None:
        side = (image_size - 5) // 2 + 1
        shapes = [
            (5, 5, 1, filters),
            (filters,),
            (side * side * filters, num_classes),
            (num_classes,),
        ]
        self.weights = [tf.Variable(tf.random.normal(s, stddev=0.05)) for s in shapes]
        self.means = [tf.Variable(tf.zeros(shape)) for shape in shapes]
        self.squares = [tf.Variable(tf.zeros(shape)) for shape in shapes]
        self.step = tf.Variable(0.0)

    def update(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Adds one gradient step to the graph; returns the loss."""
        with tf.GradientTape() as tape:
            loss = self._loss(images, labels)
        gradients = tape.gradient(loss, self.weights)
        step = self.step.assign_add(1.0)
        rate = 1e-3 * tf.sqrt(1.0 - BETA_2**step) / (1.0 - BETA_1**step)
        for number, gradient in enumerate(gradients):
            self._adam(number, gradient, rate)
        return loss

    def _loss(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        kernel, bias, matrix, offset = self.weights
        hidden = tf.nn.relu(tf.nn.conv2d(images, kernel, 2, "VALID") + bias)
        logits = tf.reshape(hidden, [tf.shape(images)[0], -1]) @ matrix + offset
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        )

    def _adam(self, number: int, gradient: tf.Tensor, rate: tf.Tensor) -> None:
        weight = self.weights[number]
        weight.assign_sub(weight * (1e-3 * 0.1))
        mean, square = self.means[number], self.squares[number]
        mean = mean.assign_add((gradient - mean) * (1.0 - BETA_1))
        square = square.assign_add((gradient * gradient - square) * (1.0 - BETA_2))
        weight.assign_sub(rate * mean / (tf.sqrt(square) + EPSILON))


class BareLoop:
    """A timestep of updates in several bare lanes.

    Args:
        num_lanes: The number of lanes.
        images: float32 `[num_images, 28, 28, 1]`.
        labels: int32 `[num_images]`.
    """

    def __init__(self, num_lanes: int, images: tf.Tensor, labels: tf.Tensor) -> None:
        self._lanes = [BareLane() for _ in range(num_lanes)]
        self._images, self._labels = images, labels
        self.run = tf.function(self._run)

    def _run(self, indices: tf.Tensor) -> tf.Tensor:
        total = tf.zeros([len(self._lanes)])
        for step in tf.range(tf.shape(indices)[1]):
            losses = []
            for number, lane in enumerate(self._lanes):
                chosen = indices[number, step]
                batch = tf.gather(self._images, chosen), tf.gather(self._labels, chosen)
                losses.append(lane.update(*batch))
            total += tf.stack(losses)
        return total
