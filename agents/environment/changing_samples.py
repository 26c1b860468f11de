# SPDX-License-Identifier: Apache-2.0
"""Samples on the device whose number and values change without a new graph."""

from __future__ import annotations

import tensorflow as tf

from ..tasks.samples import Samples


def changing(samples: Samples, axis: int = 0) -> Samples:
    """Makes variables of samples, whose number on one axis may change.

    Args:
        samples: What they hold at first.
        axis: That of the samples.
    """
    return Samples(
        *(
            tf.Variable(
                values, shape=[*values.shape[:axis], None, *values.shape[axis + 1 :]]
            )
            for values in samples
        )
    )


def give(variables: Samples, values: Samples) -> None:
    """Lets variables that `changing` made hold other samples."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
