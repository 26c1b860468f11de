# SPDX-License-Identifier: Apache-2.0
"""The rates of a training without agents, on which their factors act."""
