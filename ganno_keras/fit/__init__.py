# SPDX-License-Identifier: Apache-2.0
"""One fit under control, from compile to the last epoch."""
