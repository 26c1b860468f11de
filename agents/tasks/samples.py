# SPDX-License-Identifier: Apache-2.0
"""Inputs with their targets: the form of all data after it was loaded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ganno_keras import datasets


class Samples(NamedTuple):
    """Inputs of a network with their targets; unpacks as `(inputs, targets)`."""

    inputs: Any  # [num_samples, ...], on the host or the device
    targets: Any  # [num_samples, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.inputs.shape[1:])

    @property
    def num_outputs(self) -> int:
        """Number of classes, or of numbers to predict."""
        if np.issubdtype(self.targets.dtype, np.integer):
            return int(self.targets.max()) + 1
        return int(self.targets.shape[-1])


def hold_out(samples: Samples, num_samples: int) -> tuple[Samples, Samples]:
    """Cuts a validation set off the end of a training set.

    Args:
        samples: The set to cut in two, in random order.
        num_samples: How many to hold out, from 1 to one less than there are.

    Returns:
        The samples that are left to train on, and the held-out ones.

    Raises:
        ValueError: If either part would be empty.
    """
    # What the package holds out of images, it holds out of any arrays.
    images = datasets.LabelledImages(*samples)
    rest, held_out = datasets.hold_out(images, num_samples)
    return Samples(*rest), Samples(*held_out)
