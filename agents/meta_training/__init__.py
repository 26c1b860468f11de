# SPDX-License-Identifier: Apache-2.0
"""A run that can be killed and resumed: its loop, its folder, its policy."""
