# SPDX-License-Identifier: Apache-2.0
"""The learning rates with which a training continues after a return."""

from __future__ import annotations

from typing import Final

import numpy as np

from ganno_keras.control.actions import LearningRateBounds

FIRST_SHARE: Final = 0.1
"""The rates after the first return, as a share of those of the best moment."""

FUTILE_SHARE: Final = 0.01
"""The same right after a return that did not help."""

LATER_SHARE: Final = 0.5
"""The same later in a training that returns have helped."""

LEAST_CUT: Final = 0.001
"""What all cuts of a fit together leave of the rates at the least."""

CEILING_SHARE: Final = 0.5
"""What no rate may exceed from then on, as a share of the highest one that failed."""


class ReturnRates:
    """The cut of the rates at each return, in total to a thousandth at the least.

    Args:
        bounds: Limits of the learning rates.
    """

    def __init__(self, bounds: LearningRateBounds) -> None:
        self._bounds = bounds
        self.ceiling = np.inf
        self.cut = 1.0  # all cuts so far, multiplied

    def limit(self, rates: np.ndarray) -> np.ndarray:
        """Keeps rates below those that failed, and unchanged if none did."""
        return np.minimum(rates, self.ceiling)

    def after_return(
        self, failed: np.ndarray, best: np.ndarray, num_futile: int | None
    ) -> np.ndarray:
        """Returns the rates after a return.

        Args:
            failed: The rates at which the training diverged, float64 `[num_layers]`.
            best: The rates of the moment that is returned to.
            num_futile: How many returns in a row did not help; None before the first.
        """
        share = LATER_SHARE if num_futile == 0 else FUTILE_SHARE
        share = FIRST_SHARE if num_futile is None else share
        share = max(share, min(LEAST_CUT / self.cut, 1.0))
        self.cut *= share
        if share < 1.0 and failed.max() > 0.0:
            # Not below what the cut leaves: that would be a further cut.
            kept = max(CEILING_SHARE, share)
            ceiling = min(self.ceiling, kept * float(failed.max()))
            self.ceiling = max(ceiling, self._bounds.minimum)
        safe = np.clip(share * np.minimum(failed, best), *self._bounds)
        return self.limit(safe)
