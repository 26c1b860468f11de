# SPDX-License-Identifier: Apache-2.0
"""Shows the loss of an update to the code that decides about the update."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any


class LossAwareModel(keras.Model):
    """A model that calls `see_loss` once the loss of an update is known.

    Callbacks see the loss one update too late. Here both the loss and the optimizer are
    available before the update.
    """

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """Computes the loss, and shows it if an update follows."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if training:
            self.see_loss(loss)
        return loss

    def see_loss(self, loss: Tensor) -> None:
        """Receives the loss; subclasses implement it."""
        raise NotImplementedError
