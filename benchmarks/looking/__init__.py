# SPDX-License-Identifier: Apache-2.0
"""Whether it pays to look at a training before choosing its rates and its decay.

Run from a clone, as `python -m benchmarks.looking run`; docs/looking.md has what came
of it.
"""
