# SPDX-License-Identifier: Apache-2.0
"""Sections that reproduce the paper."""
