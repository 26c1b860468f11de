# SPDX-License-Identifier: Apache-2.0
"""A check that the rates have an effect, so that no ineffective rate is logged."""

from __future__ import annotations

from typing import Final

from keras import ops

from ganno_keras.fit.update_clock import UpdateClock
from ganno_keras.fit.watching.batch_ends import BatchEnds
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

_FEWEST_BATCHES: Final = 50
"""How many batches may pass without an update: some steps update every few batches."""


class Effect:
    """A check that complains of a training whose updates do not look rates up.

    Args:
        layerwise: The optimizer.
        clock: Counts its updates.
        batch_ends: Counts the batches.
    """

    def __init__(
        self, layerwise: LayerwiseOptimizer, clock: UpdateClock, batch_ends: BatchEnds
    ) -> None:
        self._layerwise = layerwise
        self._clock = clock
        self._batch_ends = batch_ends
        self._is_seen = False
        # The warning for the user: the callback steps aside then.
        self.complaint: str | None = None

    @property
    def is_seen(self) -> bool:
        """Returns whether an update that looks its rate up was made or traced."""
        self._is_seen |= self._layerwise.table.was_read
        return self._is_seen

    @property
    def is_missed(self) -> bool:
        """Returns whether such an update is missing after so many batches."""
        interval = self._clock.interval * self._clock.batches_per_update
        patience = max(interval, _FEWEST_BATCHES)
        return not self.is_seen and self._batch_ends.total >= patience

    def check_batches(self) -> None:
        """Complains if there were many batches and no such update."""
        if self.is_missed:
            self._complain()

    def check_end(self) -> None:
        """Complains if there were batches in a fit, and no such update."""
        if self._batch_ends.total and not self.is_seen:
            self._complain()

    def is_measured(self) -> bool:
        """Returns whether an update that was to be measured has left its statistics.

        Complains if not: the decision that they are for is due.
        """
        table = self._layerwise.table
        self._is_seen |= table.built and bool(self._layerwise.statistics_sums.any())
        if not self.is_seen:
            self._complain()
        return self.is_seen

    def _complain(self) -> None:
        optimizer = self._layerwise.inner_optimizer
        batches = self._batch_ends.total
        updates = int(ops.convert_to_numpy(optimizer.iterations)) - self._clock.start
        self.complaint = (
            f"GANNO steps aside: the optimizer {optimizer.name!r} has made {updates} "
            "updates, and none of them at the rates that GANNO has set. If it wraps "
            "another optimizer, compile with that one. If a tf.function of your own "
            "makes the updates, trace it in the fit, not before."
        )
        if not updates:
            self.complaint = (
                f"GANNO steps aside: {batches} batches were trained, and the optimizer "
                f"{optimizer.name!r}, which the model was compiled with, has made no "
                "update. If the model trains with other optimizers (a GAN, say), GANNO "
                "cannot control them: train without it."
            )
