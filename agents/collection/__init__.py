# SPDX-License-Identifier: Apache-2.0
"""Which episodes are played, and by whom."""
