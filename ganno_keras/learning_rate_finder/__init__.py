# SPDX-License-Identifier: Apache-2.0
"""A learning-rate range test that leaves the model exactly as it was."""

from ganno_keras.learning_rate_finder.curve import LearningRateCurve
from ganno_keras.learning_rate_finder.finder import find_learning_rate

__all__ = ["LearningRateCurve", "find_learning_rate"]
