# SPDX-License-Identifier: Apache-2.0
"""A learned, layerwise learning-rate controller for Keras 3.

Nothing here needs more than keras, tensorflow and numpy.
"""

from importlib.metadata import PackageNotFoundError, version

from ganno_keras.callback import GANNO
from ganno_keras.layerwise_optimizer import LayerwiseOptimizer
from ganno_keras.policies import list_policies, load_policy

try:
    __version__ = version("ganno-keras")
except PackageNotFoundError:  # A clone on the path, not installed.
    __version__ = "0.0.0+clone"

__all__ = [
    "GANNO",
    "LayerwiseOptimizer",
    "__version__",
    "list_policies",
    "load_policy",
]
