# SPDX-License-Identifier: Apache-2.0
"""The callbacks of a fit that act once a quantity has stalled.

They count the epochs themselves. Their own count is read, so that a monitor, a mode, a
least improvement or a subclass means here what it means there.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from ganno_keras.control.anchor.open_course import PlateauRule


@dataclass(frozen=True)
class PlateauWatch:
    """A callback that waits for a quantity to improve.

    Args:
        callback: `EarlyStopping`, `ReduceLROnPlateau` or a subclass.
        rule: What it does when its patience is used up.
    """

    callback: keras.callbacks.Callback
    rule: PlateauRule

    @property
    def name(self) -> str:
        """Returns the name of the callback's class."""
        return type(self.callback).__name__

    @property
    def monitor(self) -> str:
        """Returns the name of the quantity in the logs."""
        return str(self.callback.monitor)

    @property
    def wait(self) -> float:
        """Returns the epochs since the quantity last improved."""
        return float(self.callback.wait)


def plateau_watches(
    callbacks: keras.callbacks.CallbackList | None,
) -> tuple[PlateauWatch, ...]:
    """Finds the callbacks that end a fit or lower its rate when a quantity stalls.

    Args:
        callbacks: Those of the fit; None if they are not known.
    """
    found = []
    for callback in getattr(callbacks, "callbacks", ()):
        if isinstance(callback, keras.callbacks.EarlyStopping):
            rule = PlateauRule(float(callback.patience))
        elif isinstance(callback, keras.callbacks.ReduceLROnPlateau):
            factor = float(callback.factor)
            rule = PlateauRule(float(callback.patience), factor, ends_fit=False)
        else:
            continue
        found.append(PlateauWatch(callback, rule))
    return tuple(found)
