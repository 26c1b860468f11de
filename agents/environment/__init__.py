# SPDX-License-Identifier: Apache-2.0
"""Many inner trainings as one batched environment."""
