# SPDX-License-Identifier: Apache-2.0
"""A user's own training with and without GANNO, side by side."""
