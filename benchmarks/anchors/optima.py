# SPDX-License-Identifier: Apache-2.0
"""Where the best rate of a cell lies, and what another one costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

SCATTER: Final = 0.5
"""Octaves by which best rates scatter around any formula, where it has to be said."""

Array = npt.NDArray[np.float64]
Row = dict[str, Any]


@dataclass(frozen=True)
class LossCurve:
    """The logarithm of the loss over the logarithm of the rate, base 2.

    Args:
        steps: Ascending.
        losses: Natural logarithms; infinite where a training diverged.
    """

    steps: Array
    losses: Array

    @classmethod
    def of(cls, losses: Mapping[float, float]) -> LossCurve:
        """Makes the curve of losses by step; what is not a number counts as infinite.

        Example:

            >>> curve = LossCurve.of({0: 1.0, 1: 0.5, 2: 1.0})
            >>> float(curve.best_step)
            1.0
        """
        steps = sorted(losses)
        values = np.array([losses[step] for step in steps], np.float64)
        values = np.where(np.isfinite(values) & (values > 0.0), values, np.inf)
        return cls(np.array(steps, np.float64), np.log(values))

    @property
    def least(self) -> float:
        """The least loss of all that were tried."""
        return float(self.losses.min())

    @property
    def best_step(self) -> float:
        """The minimum of the parabola through the best step and its neighbours."""
        place = int(self.losses.argmin())
        best = float(self.steps[place])
        if place in (0, len(self.steps) - 1):
            return best
        left, middle, right = self.losses[place - 1 : place + 2]
        below, above = best - self.steps[place - 1], self.steps[place + 1] - best
        if not np.isfinite([left, right]).all() or below != above:
            return best
        bend = left - 2.0 * middle + right
        return (
            best if bend <= 0.0 else best + 0.5 * below * float((left - right) / bend)
        )

    def regret(self, step: float) -> float:
        """How much more than the least loss another step has, by interpolation.

        Beyond what was tried the last piece goes on.
        """
        finite = np.isfinite(self.losses)
        steps, losses = self.steps[finite], self.losses[finite]
        if len(steps) < 2:
            return 0.0
        right = int(np.clip(np.searchsorted(steps, step), 1, len(steps) - 1))
        slope = (losses[right] - losses[right - 1]) / (steps[right] - steps[right - 1])
        value = losses[right - 1] + slope * (step - steps[right - 1])
        return float(max(value - self.least, 0.0))


def curve(rows: Sequence[Row], run: str) -> LossCurve:
    """The curve of the relative or the absolute rates of one cell."""
    return LossCurve.of({row["step"]: row["loss"] for row in rows if row["run"] == run})


def by_cell(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    """The rows of each cell and variant."""
    cells: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        cells.setdefault((row["cell"], row["variant"]), []).append(row)
    return cells


def left_out_predictions(
    features: Array,
    targets: Array,
    groups: Sequence[str] | None = None,
    largest: Sequence[float] | None = None,
) -> Array:
    """What least squares predicts of each target, fitted without it and its group.

    Args:
        features: `[num_cells, num_features]`, a column of ones included.
        targets: `[num_cells]`.
        groups: What is left out together; None for one at a time.
        largest: As of `fitted`.
    """
    names = np.array(groups if groups is not None else np.arange(len(targets)))
    found = np.zeros(len(targets))
    for place, name in enumerate(names):
        kept = names != name
        coefficients = fitted(features[kept], targets[kept], largest)
        found[place] = features[place] @ coefficients
    return found


def fitted(
    features: Array, targets: Array, largest: Sequence[float] | None = None
) -> Array:
    """The coefficients of least squares, kept from growing where nothing tells them.

    Args:
        features: `[num_cells, num_features]`.
        targets: `[num_cells]`.
        largest: How large each coefficient is expected to be, as a standard deviation;
            None to let all of them be what they are.
    """
    penalties = np.full(features.shape[1], 1e-3)
    if largest is not None:
        penalties = np.square(SCATTER / np.array(largest, np.float64))
    gram = features.T @ features + np.diag(penalties)
    return np.asarray(np.linalg.solve(gram, features.T @ targets), np.float64)


def deviation(errors: Array) -> float:
    """The root mean square of errors of prediction."""
    return float(np.sqrt(np.mean(np.square(errors))))


def next_step(losses: Mapping[int, float], first: Sequence[int]) -> int | None:
    """The next power of 2, or None when the best one lies between two others.

    Args:
        losses: Those that have been tried; what is not finite is worse than all others.
        first: Which are tried before anything is known.

    Example:

        >>> next_step({0: 1.0, -2: 2.0, 2: 3.0}, first=(0, -2, 2))
        -1
        >>> next_step({0: 1.0, -1: 1.1, 1: 1.2}, first=(0,)) is None
        True
    """
    for step in first:
        if step not in losses:
            return step
    best = min(losses, key=lambda step: _rank(losses[step]))
    return next((it for it in (best - 1, best + 1) if it not in losses), None)


def _rank(loss: float) -> float:
    return loss if np.isfinite(loss) else np.inf
