# SPDX-License-Identifier: Apache-2.0
"""What one training is called, what came of it, and where that is kept."""
