# SPDX-License-Identifier: Apache-2.0
"""The methods to set learning rates that are compared."""
