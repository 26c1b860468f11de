# SPDX-License-Identifier: Apache-2.0
"""What is known of a training before its first update: its length and its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import log2
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ganno_keras.control.anchor.optimizer_traits import OptimizerTraits
from ganno_keras.control.anchor.weight_groups import WeightGroup

if TYPE_CHECKING:  # `ganno info` reads anchors without waiting for Keras
    from ganno_keras.control.anchor.network_traits import NetworkTraits

USUAL_DEPTH: Final = 5.0
"""A number of kernels that says nothing about the rate."""
LARGEST_DEPTH: Final = 12.0
"""Deeper networks without normalisation were not looked at."""

USUAL_INPUTS: Final = 256.0
"""Inputs of a perceptron from which on their number says nothing about the rate.

Pixels go together: what is learned of one changes the answer to many images. Columns of
a table are few and differ, and the layer that sees them may move further.
"""
USUAL_CHANNELS: Final = 3.0
"""Channels of images from which on their number says nothing about the rate."""
FLAGS: Final = ("is_normalised_perceptron", "is_bounded")
"""Facts that hold or do not; the others are numbers."""


@dataclass(frozen=True)
class TrainingFacts:
    """The known facts of a training before its first update.

    Args:
        num_updates: Planned, in all epochs.
        epochs: Passes over the training samples, 1 where it is unknown.
        batch_size: Samples in a minibatch.
        width: The width of the network: see `network_width`.
        momentum: What the optimizer keeps of the last step's direction, in [0, 1).
        depth: The depth of the network: see `network_depth`.
        targets: The classes or numbers that the network predicts of one sample.
        inputs: The inputs of a perceptron, whose first layer is fresh and trained.
        channels: The channels of the images that a CNN tells one thing of.
        is_normalised_perceptron: Whether the network has dense layers and layers that
            normalise, and no others, and its first dense layer is trained.
        is_bounded: Whether the network predicts one target of a sample, and its weights
            are kept from growing.

    Raises:
        ValueError: The momentum is not in [0, 1), or another one is not a number
            above 0.
    """

    num_updates: float
    epochs: float
    batch_size: float
    width: float
    momentum: float = 0.9
    depth: float = USUAL_DEPTH
    targets: float = 1.0
    inputs: float = USUAL_INPUTS
    channels: float = USUAL_CHANNELS
    is_normalised_perceptron: bool = False
    is_bounded: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.momentum < 1.0:
            raise ValueError(
                f"momentum is {self.momentum!r}; a number of at least 0 and below 1 is "
                "needed to tell the relative rate of a training."
            )
        for name, value in vars(self).items():
            may_be_zero = name in ("momentum", *FLAGS)
            if not (may_be_zero or (np.isfinite(value) and value > 0)):
                raise ValueError(
                    f"{name} is {value!r}; a finite number above 0 is needed to tell "
                    "the relative rate of a training."
                )

    @classmethod
    def of_numbers(cls, numbers: npt.ArrayLike) -> TrainingFacts:
        """Makes facts of what was saved; earlier versions saved the first ones only."""
        names = [it.name for it in fields(cls)]
        saved = dict(zip(names, np.asarray(numbers, np.float64).tolist(), strict=False))
        flags = {name: bool(saved.pop(name)) for name in FLAGS if name in saved}
        return cls(**saved, **flags)

    @property
    def persistence(self) -> float:
        """Returns by how many octaves steps add up to more than independent ones do.

        The sum of many steps of an average over gradients is longer than that of
        independent steps of the same size, by `sqrt((1 + momentum) / (1 - momentum))`.
        """
        return 0.5 * log2((1.0 + self.momentum) / (1.0 - self.momentum))


class PlannedLength(NamedTuple):
    """How long a training is planned to be; its fields are those of `TrainingFacts`."""

    num_updates: float
    epochs: float
    batch_size: float


def training_facts(
    length: PlannedLength,
    groups: Sequence[WeightGroup],
    traits: NetworkTraits,
    optimizer: OptimizerTraits,
) -> TrainingFacts:
    """Finds the facts of a training.

    Args:
        length: How long it is.
        groups: The groups that are trained, in the order of their layers.
        traits: What the network is like, whatever is trained of it.
        optimizer: What the steps of the optimizer are like.

    Raises:
        ValueError: The length is not of finite numbers above 0.
    """
    return TrainingFacts(
        *length,
        width=network_width(groups),
        momentum=optimizer.momentum,
        depth=network_depth(groups, traits.is_normalised),
        targets=traits.counted_targets(optimizer),
        inputs=traits.num_inputs or USUAL_INPUTS,
        channels=traits.num_channels or USUAL_CHANNELS,
        is_normalised_perceptron=traits.is_normalised_perceptron,
        is_bounded=traits.is_bounded,
    )


def network_width(groups: Sequence[WeightGroup]) -> float:
    """Returns the median number of outputs of the kernels that lie inside.

    Args:
        groups: The groups of the network, in the order of its layers.
    """
    units = [float(it.units) for it in groups if it.has_kernel]
    return float(np.median(units[:-1] or units or [1.0]))


def network_depth(groups: Sequence[WeightGroup], is_normalised: bool) -> float:
    """Returns the number of trained kernels of a network without normalisation.

    What its layers change adds up from one to the next. A normalisation, and the
    residual connections beside it, keep that small: such networks are of usual depth.

    Args:
        groups: The groups of the network.
        is_normalised: Whether it has layers that normalise.
    """
    if is_normalised:
        return USUAL_DEPTH
    return float(min(max(sum(it.has_kernel for it in groups), 2), LARGEST_DEPTH))
