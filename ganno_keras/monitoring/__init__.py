# SPDX-License-Identifier: Apache-2.0
"""What is watched while a network trains: losses, a held-out sample."""
