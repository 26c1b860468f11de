# SPDX-License-Identifier: Apache-2.0
"""A model that shows the loss of an update to whoever decides about the update."""

from __future__ import annotations

from typing import Any

import keras

Tensor = Any


class LossAwareModel(keras.Model):
    """Calls `see_loss` as soon as the loss of an update is known.

    Only there are loss and optimizer in reach before the update is made: a callback
    comes one update late.
    """

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """Computes the loss, and shows it if an update comes of it."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if training:
            self.see_loss(loss)
        return loss

    def see_loss(self, loss: Tensor) -> None:
        """What subclasses do with the loss."""
        raise NotImplementedError
