# SPDX-License-Identifier: Apache-2.0
"""Experiments on what learning rates should start from, with thresholds set before.

Run from a clone, as `python -m benchmarks.anchors e1`. What came of them is in
docs/how_the_formula_was_found.md.
"""
