# SPDX-License-Identifier: Apache-2.0
"""What brings a training back that diverges: the best weights, and proof of it."""
