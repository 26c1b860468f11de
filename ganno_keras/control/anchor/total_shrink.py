# SPDX-License-Identifier: Apache-2.0
"""Weight decay without a scale: by how much weights shrink over a whole training.

Decoupled weight decay shrinks weights by the share `rate * decay` at each update. Where
rates follow the steps of the optimizer, a fixed decay means something else for every
optimizer and layer. The sum of these shares over a training means the same everywhere.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ganno_keras.control.anchor.relative_rate import HIGHEST_RELATIVE_RATE
from ganno_keras.control.anchor.update_ratios import UNMEASURED_RATE

Array = npt.NDArray[np.float64]

LARGEST_DECAY: Final = 1e4
"""What float16 still holds."""


LARGEST_COMPILED_TOTAL: Final = 1.0
"""More than that a compiled rate does not ask for: it may be far from a good one."""


def compiled_total(share: npt.ArrayLike, num_updates: float) -> Array:
    """Returns by how much weights shrink over a training, as the user compiled it.

    Args:
        share: Of the weights, by an update at the compiled rate and weight decay.
        num_updates: Of the training.
    """
    limited: Array = np.minimum(
        np.asarray(share, np.float64) * num_updates, LARGEST_COMPILED_TOTAL
    )
    return limited


def decays_of_shares(shares: npt.ArrayLike, rates: npt.ArrayLike) -> Array:
    """Returns the weight decays that shrink weights by shares of them at an update.

    They are 0 where a rate is 0, or that of a layer whose steps are not measured yet.

    Args:
        shares: At least 0, `[num_groups]` or one for all.
        rates: The learning rates, at least 0, `[num_groups]`.

    Example:

        >>> decays_of_shares(1e-4, [0.001, 0.0])
        array([0.1, 0. ])
    """
    rates = np.asarray(rates, np.float64)
    is_moved = rates > UNMEASURED_RATE
    decays = np.asarray(shares, np.float64) / np.where(is_moved, rates, 1.0)
    limited: Array = np.minimum(np.where(is_moved, decays, 0.0), LARGEST_DECAY)
    return limited


class TotalShrink:
    """Weight decays that shrink weights by a given total over a training.

    A total of 1 leaves a weight without gradients at `exp(-1)` of its value. It is
    spent in proportion to the schedule, as a fixed decay would.

    Args:
        totals: Sums of `rate * decay` over all updates, `[num_groups]` or one for all.
        num_updates: Of the training.
        mean_level: The mean of the schedule over the training, in (0, 1].

    Raises:
        ValueError: A total is negative or not finite, or another number is not above 0.

    Example:

        >>> shrink = TotalShrink(0.3, num_updates=1000, mean_level=0.5)
        >>> shrink.decays(level=1.0, rates=[0.003, 0.03]).round(4)
        array([0.2 , 0.02])
    """

    def __init__(
        self, totals: npt.ArrayLike, num_updates: float, mean_level: float
    ) -> None:
        self._totals = np.asarray(totals, np.float64)
        if not (np.isfinite(self._totals) & (self._totals >= 0.0)).all():
            raise ValueError(
                f"The weights are to shrink by {self._totals.tolist()} in all; finite "
                "numbers of 0 or more are needed, such as 0.3."
            )
        self._sum = float(num_updates) * float(mean_level)
        if not (np.isfinite(self._sum) and self._sum > 0.0):
            raise ValueError(
                f"There are {num_updates} updates at a mean level of {mean_level}; "
                "finite numbers above 0 are needed."
            )

    def shares(self, level: float) -> Array:
        """Returns by which share weights shrink at an update.

        Args:
            level: Of the schedule, in [0, 1].
        """
        limited: Array = np.minimum(
            self._totals * (level / self._sum), HIGHEST_RELATIVE_RATE
        )
        return limited

    def decays(self, level: float, rates: npt.ArrayLike) -> Array:
        """Returns the weight decays of an update, `[num_groups]`, finite.

        Args:
            level: Of the schedule, in [0, 1].
            rates: The learning rates, at least 0, `[num_groups]`.
        """
        return decays_of_shares(self.shares(level), rates)
