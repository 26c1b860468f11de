# SPDX-License-Identifier: Apache-2.0
"""The planned length of a fit, and how much of it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from ganno_keras.fit.watching.plateaus import PlateauWatch, plateau_watches


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
