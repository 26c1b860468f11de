# SPDX-License-Identifier: Apache-2.0
"""The page of results, its pictures and README's table."""
