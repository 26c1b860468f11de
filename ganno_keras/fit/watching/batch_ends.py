# SPDX-License-Identifier: Apache-2.0
"""The batches of an epoch that are known to be done.

On JAX and PyTorch Keras may report the end of a batch to a callback from another
thread, after the next batch has begun.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from typing import Final

_PATIENCE: Final = 10.0
"""Seconds for a batch to end; more than once nobody waits for them in a fit."""


class BatchEnds:
    """A count of the batches of an epoch that have ended, which can wait for one."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._patience = _PATIENCE
        self._begun = 0
        self._earlier = 0
        self.number = 0

    @property
    def total(self) -> int:
        """Returns how many batches are known to be done in all epochs."""
        return self._earlier + max(self.number, self._begun - 1)

    def begin_epoch(self) -> None:
        """Begins an epoch, in which no batch has ended yet."""
        self._earlier = self.total
        self._begun = self.number = 0

    def begin(self, batch: int) -> None:
        """Notes that a batch of this number begins."""
        self._begun = batch + 1

    def end(self, batch: int, act: Callable[[bool], None]) -> None:
        """Notes the end of an execution whose last batch has this number.

        Args:
            batch: The number, from 0 on.
            act: What there is to do, one thread at a time; hears whether this is the
                last batch so far.
        """
        with self._condition:
            is_last = batch >= self.number
            self.number = max(self.number, batch + 1)
            act(is_last)
            self._condition.notify_all()

    def wait(self, number: int | None = None) -> bool:
        """Waits until so many batches have ended; by default all that have begun.

        Returns:
            Whether they have.
        """
        needed = self._begun if number is None else number
        with self._condition:
            done = self._condition.wait_for(
                lambda: self.number >= needed, self._patience
            )
        if not done:  # In a loop of the user's own nobody may report them.
            self._patience = 0.0
        return done
