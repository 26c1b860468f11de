# SPDX-License-Identifier: Apache-2.0
"""Tasks and grids, and the code that runs their trainings."""
