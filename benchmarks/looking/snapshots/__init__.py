# SPDX-License-Identifier: Apache-2.0
"""E3: branches from snapshots of drawn tasks, and what a kernel ridge gains."""
