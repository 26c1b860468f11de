# SPDX-License-Identifier: Apache-2.0
"""What the factors of the agents act on: the rates of a training without them."""
