# SPDX-License-Identifier: Apache-2.0
"""From results to means, intervals and lines of a table."""
