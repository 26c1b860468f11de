# SPDX-License-Identifier: Apache-2.0
"""A learning rate of its own for every layer group of any Keras optimizer."""
