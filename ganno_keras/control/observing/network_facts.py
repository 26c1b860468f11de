# SPDX-License-Identifier: Apache-2.0
"""The facts of a network that agents see, known before its first update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from ganno_keras.control.anchor.training_facts import network_width
from ganno_keras.control.anchor.weight_groups import weight_groups
from ganno_keras.control.layer_groups import LayerGroup

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NetworkFacts:
    """The sizes of a network's layers, and the state that they begin in.

    Args:
        width: The median number of outputs of the kernels that lie inside.
        trainable_share: Trainable weights by all weights.
        fan_in: How many numbers each output of a layer sums up, `[num_groups]`.
        least_norms: The norms that weights near zero count for, `[num_groups]`.
        is_fresh: Whether each layer is untrained, `[num_groups]`.
        initial_norms: The norms of the weights at the beginning, `[num_groups]`.
    """

    width: float
    trainable_share: float
    fan_in: Array
    least_norms: Array
    is_fresh: npt.NDArray[np.bool_]
    initial_norms: Array

    @classmethod
    def of_layers(
        cls,
        groups: Sequence[LayerGroup],
        is_pretrained: Sequence[bool],
        trainable_share: float,
        initial_norms: npt.ArrayLike | None = None,
    ) -> NetworkFacts:
        """Collects the facts of layer groups.

        Args:
            groups: At least one, each with weights.
            is_pretrained: Whether each of them has been trained before.
            trainable_share: From the function of that name.
            initial_norms: `[num_groups]`; by default those that the weights have now.

        Raises:
            ValueError: A group holds no weights.
        """
        of_weights = weight_groups(groups)
        norms = weight_norms(groups) if initial_norms is None else initial_norms
        return cls(
            width=network_width(of_weights),
            trainable_share=trainable_share,
            fan_in=np.array([group.fan_in for group in of_weights], np.float64),
            least_norms=np.array(
                [group.floor * group.num_weights**0.5 for group in of_weights]
            ),
            is_fresh=~np.asarray(is_pretrained, bool),
            initial_norms=np.asarray(norms, np.float64),
        )

    @property
    def entries(self) -> dict[str, np.ndarray]:
        """Returns the entries of the observation that stay the same."""
        return {
            "width": np.asarray(self.width),
            "num_layers": np.asarray(float(len(self.fan_in))),
            "trainable_share": np.asarray(self.trainable_share),
            "fan_in": self.fan_in,
            "is_fresh": self.is_fresh.astype(np.float64),
        }

    def drift(self, norms: Array) -> Array:
        """Returns the norms of the weights by their initial ones, `[num_groups]`."""
        begin = np.maximum(self.initial_norms, self.least_norms)
        ratios: Array = np.maximum(norms, self.least_norms) / begin
        return ratios

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns what a resumed training cannot see any more."""
        return {"is_fresh": self.is_fresh, "initial_norms": self.initial_norms}

    def resumed(self, state: Mapping[str, np.ndarray]) -> NetworkFacts:
        """Returns these facts with what `get_state` gave, among entries of others."""
        return NetworkFacts(
            self.width,
            self.trainable_share,
            self.fan_in,
            self.least_norms,
            np.array(state["is_fresh"], bool),
            np.array(state["initial_norms"], np.float64),
        )


def weight_norms(groups: Sequence[LayerGroup]) -> Array:
    """Returns the Euclidean norm of the weights of each group; waits for the device."""
    squares = [
        sum(ops.sum(ops.square(ops.cast(it, "float32"))) for it in group.variables)
        for group in groups
    ]
    norms: Array = np.sqrt(ops.convert_to_numpy(ops.stack(squares)).astype(np.float64))
    return norms


def trainable_share(model: keras.Model, groups: Sequence[LayerGroup]) -> float:
    """Returns how many of the weights of a built model are in the groups, in (0, 1]."""
    trainable = sum(group.num_weights for group in groups)
    return trainable / max(trainable, sum(prod(it.shape) for it in model.weights))
