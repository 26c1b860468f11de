# SPDX-License-Identifier: Apache-2.0
"""What the paper leaves open: each choice measured in a short budget."""
