# SPDX-License-Identifier: Apache-2.0
"""Trainings that the guard must leave alone, and trainings that it must save."""
