# SPDX-License-Identifier: Apache-2.0
"""What networks for images have in common."""

from __future__ import annotations

import keras
from keras import layers


def shrinking(shrink: int) -> list[keras.Layer]:
    """The layers before a network that sees its images smaller; none for size 1.

    Args:
        shrink: How many pixels each way are averaged into one.
    """
    return [layers.AveragePooling2D(shrink)] if shrink > 1 else []
