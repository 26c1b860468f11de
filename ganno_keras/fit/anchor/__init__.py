# SPDX-License-Identifier: Apache-2.0
"""Rates that follow an anchor between two decisions of a fit."""
