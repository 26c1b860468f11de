# SPDX-License-Identifier: Apache-2.0
"""Whether the rates that are set have any effect: never to log what nobody obeys."""

from __future__ import annotations

from typing import Final

from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

_FEWEST_BATCHES: Final = 50
"""How many batches may pass without an update: some steps update every few batches."""


class Effect:
    """Notices a training whose updates do not look the rates up.

    Args:
        layerwise: The optimizer.
        batches: Between two decisions.
    """

    def __init__(self, layerwise: LayerwiseOptimizer, batches: int) -> None:
        self._layerwise = layerwise
        self._patience = max(batches, _FEWEST_BATCHES)
        self._is_seen = False

    @property
    def is_seen(self) -> bool:
        """Whether an update was made, or traced, that looks its rate up."""
        self._is_seen |= self._layerwise.table.was_read
        return self._is_seen

    def is_missed(self, batches: int) -> bool:
        """Whether one should have been made after so many batches."""
        return not self.is_seen and batches >= self._patience

    def is_measured(self) -> bool:
        """Whether an update that was to be measured has left its statistics."""
        table = self._layerwise.table
        self._is_seen |= table.built and bool(self._layerwise.statistics_sums.any())
        return self.is_seen

    def complaint(self, batches: int, updates: int) -> str:
        """What to tell the user, who may know the reason.

        Args:
            batches: That were trained.
            updates: That the optimizer has counted meanwhile.
        """
        name = self._layerwise.inner_optimizer.name
        if not updates:
            return (
                f"GANNO steps aside: {batches} batches were trained, and the optimizer "
                f"{name!r}, which the model was compiled with, has made no update. If "
                "the model trains with other optimizers (a GAN, say), GANNO cannot "
                "control them: train without it."
            )
        return (
            f"GANNO steps aside: the optimizer {name!r} has made {updates} updates, "
            "and none of them at the rates that GANNO has set. If it wraps another "
            "optimizer, compile with that one. If a tf.function of your own makes the "
            "updates, trace it in the fit, not before."
        )
