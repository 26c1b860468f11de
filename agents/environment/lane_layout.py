# SPDX-License-Identifier: Apache-2.0
"""The places of all weights in one long vector, a lane for each inner training.

A tiny network is a handful of tiny operations, and starting one takes longer than its
arithmetic. In one vector, a single operation of each kind updates all lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import keras
import numpy as np
import tensorflow as tf

from ganno_keras.control.layer_groups import LayerGroup

_LARGE = 2**17
"""Weights of all lanes from which on one operation for each variable is faster than one
look-up for each weight."""


class LaneLayout:
    """The order of lanes, variables and groups in the long vector.

    Args:
        variables: The trainable variables of one lane, in the model's order.
        groups: Their layer groups.
        num_lanes: How many lanes the vector holds, one after the other.
    """

    def __init__(
        self,
        variables: Sequence[keras.Variable],
        groups: Sequence[LayerGroup],
        num_lanes: int,
    ) -> None:
        self.num_lanes = num_lanes
        self._shapes = [tuple(variable.shape) for variable in variables]
        self._sizes = [prod(shape) for shape in self._shapes]
        self._num_groups = len(groups)
        owners = {id(v): number for number, g in enumerate(groups) for v in g.variables}
        self._owners = np.array([owners[id(variable)] for variable in variables])

    @property
    def size(self) -> int:
        """Length of the vector."""
        return self.num_lanes * sum(self._sizes)

    def split(self, vector: tf.Tensor) -> list[list[tf.Tensor]]:
        """Cuts the vector into variables, by lane and variable."""
        pieces = tf.split(vector, self._sizes * self.num_lanes)
        shaped = [
            tf.reshape(piece, shape)
            for piece, shape in zip(pieces, self._shapes * self.num_lanes, strict=True)
        ]
        count = len(self._shapes)
        return [shaped[start : start + count] for start in range(0, len(shaped), count)]

    def stacked(self, vector: tf.Tensor) -> list[tf.Tensor]:
        """Cuts the vector into variables of all lanes, `[num_lanes, ...]` each."""
        pieces = zip(self._pieces(vector), self._shapes, strict=True)
        return [tf.reshape(it, [self.num_lanes, *shape]) for it, shape in pieces]

    def join(self, lanes: Sequence[Sequence[tf.Tensor]]) -> tf.Tensor:
        """Joins what `split` returned to a vector again."""
        return tf.concat([tf.reshape(x, [-1]) for lane in lanes for x in lane], axis=0)

    def spread(self, values: tf.Tensor) -> tf.Tensor:
        """Spreads values of groups over the vector, a value for each weight.

        Args:
            values: A value for each group, `[num_lanes, num_groups]`.
        """
        if self.size < _LARGE:
            # Not tf.repeat, which first pads all variables to the longest one's length.
            places = np.repeat(self._owners, self._sizes)
            return tf.reshape(tf.gather(values, places, axis=1), [-1])
        by_variable = tf.split(
            tf.gather(values, self._owners, axis=1), len(self._sizes), axis=1
        )
        pieces = [
            tf.broadcast_to(value, [self.num_lanes, size])
            for value, size in zip(by_variable, self._sizes, strict=True)
        ]
        return tf.reshape(tf.concat(pieces, axis=1), [-1])

    def group_sums(self, vector: tf.Tensor) -> tf.Tensor:
        """Sums the vector over each group, to `[num_lanes, num_groups]`."""
        # Variable by variable: a running sum over a group would lose float32 digits.
        sums = [tf.reduce_sum(it, axis=1) for it in self._pieces(vector)]
        by_variable = tf.stack(sums)
        return tf.transpose(
            tf.math.unsorted_segment_sum(by_variable, self._owners, self._num_groups)
        )

    def _pieces(self, vector: tf.Tensor) -> list[tf.Tensor]:
        """Cuts the vector into variables of all lanes, `[num_lanes, size]` each."""
        rows = tf.reshape(vector, [self.num_lanes, -1])
        return list(tf.split(rows, self._sizes, axis=1))
