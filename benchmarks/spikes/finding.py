# SPDX-License-Identifier: Apache-2.0
"""What counts as a spike of a learning rate."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

BEFORE: Final = 10
"""The decisions that a spike stands out from."""
RISE: Final = 2.0
"""A spike exceeds the highest rate of the decisions before by this factor ..."""
SMALLEST_RISE: Final = 0.0005
"""... and by this much: the smaller of the paper's two steps."""
RISING: Final = 3
"""Decisions within which it does so."""
FALLING: Final = 20
"""Decisions after its beginning by which the rate has to be down again ..."""
LEFT: Final = 0.5
"""... to this share of the rise, at most."""


class Spike(NamedTuple):
    """A spike of one layer's rate in one training."""

    training: int
    layer: int
    decision: int  # the one that begins it, from 0
    rate_before: float  # the highest of the decisions before
    peak: float


def spikes_of(rates: np.ndarray) -> list[Spike]:
    """Finds all spikes; those of a layer do not overlap.

    Args:
        rates: The rate of each layer after each decision, `[num_decisions,
            num_trainings, num_layers]`.

    Example:

        >>> rates = np.full((60, 1, 1), 0.001)
        >>> rates[30:33] = 0.003
        >>> [(it.decision, it.peak) for it in spikes_of(rates)]
        [(30, 0.003)]
    """
    _, num_trainings, num_layers = rates.shape
    return [
        spike
        for training in range(num_trainings)
        for layer in range(num_layers)
        for spike in _of_layer(rates[:, training, layer], training, layer)
    ]


def _of_layer(rates: np.ndarray, training: int, layer: int) -> list[Spike]:
    found: list[Spike] = []
    decision = BEFORE
    while decision + FALLING < len(rates):
        before = float(rates[decision - BEFORE : decision].max())
        peak = float(rates[decision : decision + RISING].max())
        end = float(rates[decision + FALLING])
        begins = rates[decision] > rates[decision - 1]
        rises = peak >= RISE * before and peak - before >= SMALLEST_RISE
        falls = end - before <= LEFT * (peak - before)
        if begins and rises and falls:
            found.append(Spike(training, layer, decision, before, peak))
            decision += FALLING
        decision += 1
    return found
