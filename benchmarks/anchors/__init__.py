# SPDX-License-Identifier: Apache-2.0
"""Experiments on what learning rates should start from, with thresholds set before.

Run from a clone, as `python -m benchmarks.anchors e1`; docs/anchors.md has what came of
them.
"""
