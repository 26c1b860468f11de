# SPDX-License-Identifier: Apache-2.0
"""The first experiment: trainings from scratch."""
