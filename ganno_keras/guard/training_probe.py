# SPDX-License-Identifier: Apache-2.0
"""A test whether a model is worse than it was, with two states on equal samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import keras
import numpy as np
from keras import ops, tree

from ganno_keras.guard.batch_keeper import BatchKeeper, can_keep, size_of
from ganno_keras.guard.weights_copy import WeightsCopy
from ganno_keras.monitoring.metric_sums import means_of
from ganno_keras.monitoring.stateless_test_step import StatelessTestStep
from ganno_keras.monitoring.validation_sample import ValidationSample, fixed_batch_size

LARGEST_PART: Final = 8
"""How many samples are measured together: many small parts show how they scatter."""

MOST_PARTS: Final = 16
"""How many parts of the past, and how many of the last updates, are measured."""

MOST_BYTES: Final = 32 * 2**20
"""How much memory the parts of the past may take."""

LEAST_SHARE: Final = 0.8
"""The share of the parts on which a state must be worse."""

LEAST_ERRORS: Final = 2.0
"""How many standard errors of the mean difference that must be above zero."""

LEAST_RISE: Final = 0.25
"""How far the mean loss must lie higher, as a share of the better state's."""


class Comparison(NamedTuple):
    """The losses of two states of a model on the same samples.

    Args:
        now: The losses of the present state, one for each part of the samples.
        kept: The losses of the other state, on the same parts.
    """

    now: np.ndarray
    kept: np.ndarray

    @property
    def is_worse(self) -> bool:
        """Returns whether the present state is worse beyond chance."""
        if not len(self.now) or not np.isfinite(self.kept).all():
            return False
        if not np.isfinite(self.now).all():
            return True
        differences = self.now - self.kept
        mean = differences.mean()
        many = len(differences) > 1
        error = differences.std(ddof=1) / np.sqrt(len(differences)) if many else 0.0
        return bool(
            mean > LEAST_RISE * np.abs(self.kept).mean()
            and mean > LEAST_ERRORS * error
            and (differences > 0.0).mean() >= LEAST_SHARE
        )


class TrainingProbe:
    """Samples of the past, of the last updates, and held-out ones if there are any.

    Samples of the past are spread evenly over the training. A state is worse only if it
    is worse on each of these sets. A model that has moved on to other data is worse on
    old samples and better on the last ones.

    Args:
        model: A compiled model whose training function is still to be made.
        validation: The held-out sample.
        shelf: In whose attributes the compiled step is kept for the next fit; None for
            the probe itself.
    """

    def __init__(
        self,
        model: keras.Model,
        validation: ValidationSample | None,
        shelf: object | None = None,
    ) -> None:
        self._model = model
        self._shelf = shelf or self
        self._validation = validation
        self._keeper = BatchKeeper(model) if can_keep(model) else None
        self._past = SpreadSamples(MOST_PARTS)

    @property
    def is_able(self) -> bool:
        """Returns whether there is anything to compare on."""
        return bool(self._keeper and self._keeper.batches)

    def release(self) -> None:
        """Gives the model its own functions back; harmless when called again."""
        if self._keeper is not None:
            self._keeper.release()

    def look(self) -> None:
        """Takes a part of the last batches for later, if its turn has come."""
        if self.is_able and self._past.is_due:
            parts = self._last_parts(most=1)
            if parts and _bytes(parts[0]) * MOST_PARTS <= MOST_BYTES:
                self._past.add(parts[0])
        self._past.advance()

    def compare(self, kept: WeightsCopy) -> tuple[Comparison, ...]:
        """Measures the present state and another one, and keeps the present one.

        Args:
            kept: A copy of the other one.

        Returns:
            The comparisons on the last updates, on the past, and on the held-out
            sample. Nothing if the samples cannot be kept.
        """
        groups = [self._last_parts(MOST_PARTS), self._past.samples]
        if self._validation is not None:
            groups.append(self._validation.parts(MOST_PARTS, self._fixed_size()))
        groups = [group for group in groups if group]
        if not groups or not self.is_able:
            return ()
        try:
            now = [self._losses(group) for group in groups]
        except Exception:
            # The samples of some batches belong together, as the nodes of a graph do.
            # The guard must not end the fit that it is to save.
            self.release()
            self._keeper = None
            return ()
        with kept.in_place():
            before = [self._losses(group) for group in groups]
        return tuple(map(Comparison, now, before))

    def _losses(self, parts: Sequence[Any]) -> np.ndarray:
        step = StatelessTestStep.kept_in(self._shelf, self._model)
        return np.array([means_of(step(part)).loss for part in parts])

    def _last_parts(self, most: int) -> list[Any]:
        """Returns parts of the last batches, the latest; none if they are of no use."""
        batches = [] if self._keeper is None else list(self._keeper.batches)
        parts: list[Any] = []
        try:
            while batches and len(parts) < most:
                parts = [*self._parts_of(batches.pop(), most - len(parts)), *parts]
        except (TypeError, ValueError, AttributeError):
            return []  # sparse or ragged, say: not what arrays can hold
        return parts

    def _parts_of(self, batch: Any, most: int) -> list[Any]:
        size = self._fixed_size() or min(size_of(batch), LARGEST_PART)
        arrays = tree.map_structure(_as_array, batch)
        starts = range(0, size_of(batch) - size + 1, size)
        return [
            tree.map_structure(lambda leaf, at=at: _rows(leaf, at, size), arrays)
            for at in starts[-most:]
        ]

    def _fixed_size(self) -> int | None:
        return fixed_batch_size(self._model)


def _as_array(leaf: Any) -> np.ndarray | None:
    if leaf is None:
        return None
    array = ops.convert_to_numpy(leaf[:])  # What is sparse has no slices.
    if not array.ndim:
        raise ValueError("A batch has an element without a batch axis.")
    return np.asarray(array)


def _rows(array: np.ndarray | None, start: int, size: int) -> np.ndarray | None:
    # A copy, as a view would keep the whole batch.
    return None if array is None else array[start : start + size].copy()


def _bytes(part: Any) -> int:
    return sum(getattr(leaf, "nbytes", 0) for leaf in tree.flatten(part))


class SpreadSamples:
    """A few of the things that were offered, about evenly spread over all of them.

    Args:
        most: How many are kept at most, at least 2.

    Example:

        >>> spread = SpreadSamples(4)
        >>> for number in range(100):
        ...     if spread.is_due:
        ...         spread.add(number)
        ...     spread.advance()
        >>> spread.samples
        [0, 32, 64, 96]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._stride = 1
        self._offered = 0
        self.samples: list[Any] = []

    @property
    def is_due(self) -> bool:
        """Returns whether the next batch is to be kept."""
        return self._offered % self._stride == 0

    def add(self, sample: Any) -> None:
        """Adds one, and keeps only every second earlier one if there are too many."""
        if len(self.samples) == self._most:
            del self.samples[1::2]
            self._stride *= 2
        if self.is_due:
            self.samples.append(sample)

    def advance(self) -> None:
        """Counts one that was offered, kept or not."""
        self._offered += 1
