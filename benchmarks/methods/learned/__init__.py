# SPDX-License-Identifier: Apache-2.0
"""Learned optimizers of others, to compare with."""
