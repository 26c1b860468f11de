# SPDX-License-Identifier: Apache-2.0
"""When decisions are due, counted in updates.

Keras informs a callback which batch comes next. An update may take several batches
(gradient accumulation) or fail to happen (loss scaling). Asking the optimizer before
every batch would make it wait for the device. So the batches give an upper bound, and
the optimizer is asked only when that bound says that a decision may be due.
"""

from __future__ import annotations

from dataclasses import dataclass


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
