# SPDX-License-Identifier: Apache-2.0
"""The networks of the field, and those that were trained before."""
