# SPDX-License-Identifier: Apache-2.0
"""Tasks and grids, and how their trainings are carried out."""
