# SPDX-License-Identifier: Apache-2.0
"""The ways to set learning rates that are compared."""
