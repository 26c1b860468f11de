# SPDX-License-Identifier: Apache-2.0
"""The names of layer kinds and depths, which an observation contains.

They are not in `layer_groups`, so that a policy can be described without importing
Keras.
"""

from typing import Final

LAYER_KINDS: Final = (
    "linear",
    "convolution",
    "attention",
    "recurrent",
    "embedding",
    "normalization",
    "other",
)
LAYER_DEPTHS: Final = ("first", "intermediate", "last")
