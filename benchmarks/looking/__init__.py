# SPDX-License-Identifier: Apache-2.0
"""Whether it pays to look at a training before choosing its rates and its decay.

Run from a clone, as `python -m benchmarks.looking run`. What came of it is in
docs/looking.md and docs/policy_from_branches.md.
"""
