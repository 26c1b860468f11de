# SPDX-License-Identifier: Apache-2.0
"""A learned, layerwise learning-rate controller for Keras 3.

Nothing here needs more than keras, tensorflow and numpy.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ganno-keras")
except PackageNotFoundError:  # A clone on the path, not installed.
    __version__ = "0.0.0+clone"

__all__ = ["__version__"]
