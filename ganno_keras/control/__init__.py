# SPDX-License-Identifier: Apache-2.0
"""What an agent controls, sees and does."""
