# SPDX-License-Identifier: Apache-2.0
"""The agent, and how it learns from trajectories."""
