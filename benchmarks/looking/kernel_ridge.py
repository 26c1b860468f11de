# SPDX-License-Identifier: Apache-2.0
"""Kernel ridge regression, with its strength chosen on tasks that are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STRENGTHS: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
_FOLDS: Final = 5
_FARTHEST: Final = 3.0
"""Standard deviations beyond which a feature counts no more."""


class KernelRidge:
    """A regression on a Gaussian kernel over standardised features.

    The kernel is as wide as the mean squared distance of two samples.

    Args:
        features: `[num_samples, num_features]`.
        targets: `[num_samples, num_targets]`.
        strength: Of the ridge: the larger, the nearer are predictions to the mean.

    Example:

        >>> x = np.linspace(0.0, 1.0, 50)[:, np.newaxis]
        >>> found = KernelRidge(x, np.sin(3.0 * x), strength=0.01).predict(x)
        >>> bool(np.abs(found - np.sin(3.0 * x)).max() < 0.05)
        True
    """

    def __init__(self, features: Array, targets: Array, strength: float) -> None:
        self._shift = features.mean(axis=0)
        deviations = features.std(axis=0)
        self._counts = deviations > 1e-6  # entries that are the same everywhere do not
        self._scale = deviations[self._counts]
        self._samples = self._standardised(features)
        self._mean = targets.mean(axis=0)
        matrix = self._kernel(self._samples)
        matrix[np.diag_indices(len(matrix))] += strength
        self._weights = np.linalg.solve(matrix, targets - self._mean)

    def predict(self, features: Array) -> Array:
        """Returns `[num_samples, num_targets]`."""
        found: Array = self._kernel(self._standardised(features)) @ self._weights
        return found + self._mean

    def _standardised(self, features: Array) -> Array:
        moved = (features - self._shift)[:, self._counts] / self._scale
        return np.clip(moved, -_FARTHEST, _FARTHEST)

    def _kernel(self, features: Array) -> Array:
        squares = (features[:, np.newaxis] - self._samples[np.newaxis]) ** 2
        return np.exp(-squares.sum(axis=-1) / (2.0 * max(len(self._scale), 1)))


def folds(groups: Ints, number: int) -> Iterator[tuple[Ints, Ints]]:
    """Cuts samples into training and left-out ones, whole groups at a time.

    Args:
        groups: The group of each sample.
        number: How many times.

    Example:

        >>> [out.tolist() for _, out in folds(np.array([0, 0, 1, 2]), 2)]
        [[0, 1, 3], [2]]
    """
    names = np.unique(groups)
    for fold in range(min(number, len(names))):
        is_out = np.isin(groups, names[fold::number])
        yield np.flatnonzero(~is_out), np.flatnonzero(is_out)


def fitted(features: Array, targets: Array, groups: Ints) -> KernelRidge:
    """Fits with the strength that predicts best what is left out of these samples.

    Args:
        features: `[num_samples, num_features]`.
        targets: `[num_samples, num_targets]`.
        groups: The task of each sample; tasks are left out as a whole.
    """
    errors = []
    for strength in STRENGTHS:
        squares: list[Any] = []
        for kept, out in folds(groups, _FOLDS):
            model = KernelRidge(features[kept], targets[kept], strength)
            squares.append(((model.predict(features[out]) - targets[out]) ** 2).sum())
        errors.append(sum(squares))
    return KernelRidge(features, targets, STRENGTHS[int(np.argmin(errors))])
