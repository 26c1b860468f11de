# SPDX-License-Identifier: Apache-2.0
"""Measurements behind every published number, run from a clone."""

# First of all: it chooses the legacy Keras for TF-Agents before TensorFlow is imported.
import agents  # noqa: F401
