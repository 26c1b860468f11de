# SPDX-License-Identifier: Apache-2.0
"""The metric that holds the loss: the one that the step returns under that name.

A model with its own `train_step` may keep any number of means, in any order. It may
return as `loss` one of them, or a number that is in none. Names are no proof. But
right after a step the mean that it returned has the value that it returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import keras
import numpy as np

_TOLERANCE: Final = {"float32": 1e-5, "float64": 1e-5}
"""Relative, between a mean of the step and the quotient of its variables."""


def has_own_step(model: keras.Model, name: str = "train_step") -> bool:
    """Returns whether a step of a model is not the one that Keras defines.

    Args:
        model: Any Keras model.
        name: The name of the method: `train_step` or `test_step`.
    """
    return name in vars(model) or getattr(type(model), name) is not getattr(
        keras.Model, name
    )


class LossSource:
    """A search for the loss among the means of a model, which may not hold it.

    Args:
        model: The compiled model.
        step: The method whose results are looked at: `train_step` or `test_step`.
    """

    def __init__(self, model: keras.Model, step: str = "train_step") -> None:
        self._model = model
        self._is_own_step = has_own_step(model, step)
        self._matching: frozenset[int] | None = None
        self._tolerance = _TOLERANCE.get(keras.config.floatx(), 0.02)

    @property
    def is_known(self) -> bool:
        """Returns whether a step has been looked at, or need not be."""
        return self._matching is not None or not self.needs_results

    @property
    def is_returned_only(self) -> bool:
        """Returns whether the step returns a loss that no mean holds."""
        return self._matching is not None and not self._matching

    @property
    def needs_results(self) -> bool:
        """Returns whether the step has to be looked at: Keras' own is known."""
        return self._is_own_step and not self._has_replicas

    def see(self, totals: np.ndarray, returned: float | None) -> None:
        """Learns from what a step returned.

        Args:
            totals: Totals and counts of all means right after it, `[num_means, 2]`.
            returned: What it returned as `loss`; None if it returned none.
        """
        if not self.needs_results or returned is None:
            return
        now = frozenset(np.flatnonzero(self._equal(totals, returned)).tolist())
        # Of several that are equal at first, some may not be later on.
        self._matching = (self._matching or now) & now or now

    def place(self, names: Sequence[str], totals: np.ndarray) -> int | None:
        """Returns the index of the loss among the means; None if it is none of them.

        Args:
            names: The names of the means.
            totals: Their totals and counts, `[num_means, 2]`.
        """
        if self.is_returned_only:
            return None
        if self._matching is not None:
            places = sorted(self._matching)
        else:
            counting: list[int] = np.flatnonzero(totals[:, 1]).tolist()
            places = [it for it in counting if names[it].endswith("loss")]
        return min(places, key=lambda it: _rank(names[it])) if places else None

    @property
    def _has_replicas(self) -> bool:
        """Returns whether each replica returns a number of its own."""
        strategy = getattr(self._model, "distribute_strategy", None)
        return getattr(strategy, "num_replicas_in_sync", 1) > 1

    def _equal(self, totals: np.ndarray, returned: float) -> np.ndarray:
        counts = totals[:, 1]
        with np.errstate(invalid="ignore", over="ignore"):
            means = totals[:, 0] / np.where(counts != 0, counts, 1.0)
        same = np.isclose(
            means, returned, rtol=self._tolerance, atol=1e-30, equal_nan=True
        )
        return same & (counts != 0)


def _rank(name: str) -> int:
    """Returns the rank of a mean as the likely loss, by its name alone."""
    known = ("loss", "total_loss")
    return known.index(name) if name in known else 2 + (not name.endswith("loss"))
