# SPDX-License-Identifier: Apache-2.0
"""The progress of a training, and when decisions are due, counted in updates.

Keras informs a callback which batch comes next. An update may take several batches
(gradient accumulation) or fail to happen (loss scaling). Asking the optimizer before
every batch would make it wait for the device. So the batches give an upper bound, and
the optimizer is asked only when that bound says that a decision may be due.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from ganno_keras.fit.watching.plateaus import PlateauWatch, plateau_watches


@dataclass
class UpdateClock:
    """A clock that says when the next multiple of the interval is reached.

    Args:
        interval: Updates between two decisions.
        batches_per_update: How many batches the optimizer accumulates for an update.
        start: The optimizer's `iterations` when the training began.
        next_decision: The update after which the next decision is taken.
    """

    interval: int
    batches_per_update: int
    start: int
    next_decision: int = 0
    updates: int = 0
    _batch: int = 0
    _updates_at_once: int = 1
    _was_looked: bool = False

    def __post_init__(self) -> None:
        self.next_decision = self.next_decision or self.interval

    def synchronise(self, batch: int, iterations: int) -> None:
        """Takes over the exact number of updates.

        Args:
            batch: Batches of this epoch that are done.
            iterations: The optimizer's `iterations` now.
        """
        batches, updates = batch - self._batch, iterations - self.start
        if batches > 0:
            # A training step of the user's own may make several updates of a batch.
            at_once = -(-(updates - self.updates) // self._most_updates(batches))
            self._updates_at_once = max(self._updates_at_once, at_once)
            self._was_looked = True
        self._batch, self.updates = batch, updates

    def must_look(self, batch: int) -> bool:
        """Returns whether the first batch is done but its updates are not counted."""
        return not self._was_looked and batch > self._batch

    def resume(self, start: int, next_decision: int, iterations: int) -> None:
        """Resumes a training that was saved.

        Args:
            start: The optimizer's `iterations` when that training began.
            next_decision: The update after which it was to decide next.
            iterations: The optimizer's `iterations` now. A file's own may have been
                left out, if the optimizer was not built yet when it was loaded.
        """
        last_decision = next_decision - self.interval
        self.start = min(start, iterations - last_decision)
        self.next_decision = next_decision

    def may_be_due(self, batch: int) -> bool:
        """Returns whether a decision may be due after `batch` batches of the epoch."""
        updates_since = self._most_updates(batch - self._batch) * self._updates_at_once
        return self.updates + updates_since >= self.next_decision

    def _most_updates(self, batches: int) -> int:
        """Returns how many updates a training step of Keras makes at most."""
        return -(-batches // self.batches_per_update)

    def estimate(self, batch: int) -> int:
        """Estimates the updates done once `batch` batches of the epoch are done."""
        done = (batch - self._batch) // self.batches_per_update
        return self.updates + done * self._updates_at_once

    @property
    def is_due(self) -> bool:
        """Returns whether a decision is due, right after `synchronise`."""
        return self.updates >= self.next_decision

    def advance(self) -> None:
        """Notes that the decision was taken; the next is at the following multiple."""
        self.next_decision = (self.updates // self.interval + 1) * self.interval


@dataclass(frozen=True)
class FitPlan:
    """The planned length of a fit.

    Args:
        epochs: Epochs planned.
        batches: Batches in an epoch; None as long as nobody knows.
        watches: The callbacks that end the fit or lower its rate at a plateau.
    """

    epochs: int
    batches: int | None
    watches: tuple[PlateauWatch, ...] = ()

    @classmethod
    def from_parameters(
        cls,
        parameters: Mapping[str, Any] | None,
        callbacks: keras.callbacks.CallbackList | None = None,
    ) -> FitPlan:
        """Reads what Keras gives a callback at the beginning of a fit.

        Args:
            parameters: The parameters of the callback.
            callbacks: All callbacks of the fit; None if they are not known.

        Raises:
            ValueError: If the number of epochs is missing.
        """
        if not parameters or parameters.get("epochs") is None:
            raise ValueError(
                f"GANNO got the parameters {parameters!r} without the number of epochs,"
                " so it cannot tell how far training has come. Give fit a list of "
                "callbacks, or make the CallbackList with epochs= and steps=."
            )
        epochs, steps = int(parameters["epochs"]), parameters.get("steps")
        return cls(epochs, steps, plateau_watches(callbacks))

    @property
    def shows_no_progress(self) -> bool:
        """Returns whether the progress seems to be 0 until the very end."""
        return self.batches is None and self.epochs == 1

    @property
    def is_open_ended(self) -> bool:
        """Returns whether the planned epochs do not tell how the training goes.

        Callbacks end it or want its rates lowered, or its length is unknown.
        """
        return bool(self.watches) or self.shows_no_progress

    def is_over(self, epoch: int, batch: int) -> bool:
        """Returns whether no update follows.

        Keras begins a batch too many if it does not know the length of an epoch.
        """
        known = self.batches is not None and epoch + 1 >= self.epochs
        return known and batch >= (self.batches or 0)

    def progress(self, epoch: int, batch: int) -> float:
        """Returns the share of the planned batches that is done, in [0, 1].

        While the length of an epoch is unknown, only whole epochs count.
        """
        part = min(batch / self.batches, 1.0) if self.batches else 0.0
        return min((epoch + part) / max(self.epochs, 1), 1.0)
