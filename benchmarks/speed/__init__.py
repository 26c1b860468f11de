# SPDX-License-Identifier: Apache-2.0
"""What the callback and the environment cost in time and memory."""
