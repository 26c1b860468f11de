# SPDX-License-Identifier: Apache-2.0
"""The measurements behind every published number, run from a clone."""

# Must come first: it selects the legacy Keras for TF-Agents before TensorFlow loads.
import agents  # noqa: F401
