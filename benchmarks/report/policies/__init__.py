# SPDX-License-Identifier: Apache-2.0
"""Sections on the policies of this project."""
