# SPDX-License-Identifier: Apache-2.0
"""Trainings as people have them, on which ways to set learning rates are compared."""
