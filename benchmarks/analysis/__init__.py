# SPDX-License-Identifier: Apache-2.0
"""Means, intervals and table lines out of results."""
