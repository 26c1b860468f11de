# SPDX-License-Identifier: Apache-2.0
"""Which powers of 2 to try, so that the best one has a worse one on either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def next_step(losses: Mapping[int, float], first: Sequence[int]) -> int | None:
    """The next power of 2, or None when the best one lies between two others.

    Args:
        losses: Those that have been tried; what is not finite is worse than all others.
        first: Which are tried before anything is known.

    Example:

        >>> next_step({0: 1.0, -2: 2.0, 2: 3.0}, first=(0, -2, 2))
        -1
        >>> next_step({0: 1.0, -1: 1.1, 1: 1.2}, first=(0,)) is None
        True
    """
    for step in first:
        if step not in losses:
            return step
    best = min(losses, key=lambda step: _rank(losses[step]))
    return next((it for it in (best - 1, best + 1) if it not in losses), None)


def _rank(loss: float) -> float:
    return loss if np.isfinite(loss) else np.inf
