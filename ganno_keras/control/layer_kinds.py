# SPDX-License-Identifier: Apache-2.0
"""The words for what a layer is and where it stands; an observation shows both.

Apart from `layer_groups`, so that a policy can be described without importing Keras.
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
