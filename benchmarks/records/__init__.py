# SPDX-License-Identifier: Apache-2.0
"""The name of a training, its result, and the file that keeps it."""
