# SPDX-License-Identifier: Apache-2.0
"""The facts of a fit that no decision holds: its length, its layers, its rates."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np


@dataclass
class FitFacts:
    """What is worth knowing of a fit beside its decisions.

    Rates may change between two decisions, and a short fit has no decision at all. So
    the highest and the last rates are kept here.

    Args:
        policy: Name of the policy.
        optimizer: Name of the optimizer's class.
        knows_pretrained: Whether rates depend on which layers are pretrained.
        follows_optimizer: Whether the rates are those of the optimizer, times factors.
        is_guarded: Whether the guard is on.
        kinds: The kind of each layer, one of `LAYER_KINDS`.
        num_weights: How many numbers each layer holds.
        updates: Updates done.
        is_complete: Whether the fit has ended, and under control.
        seconds: Time since control began.
        own_seconds: Time of these that the callback itself took.
        peak_rates: The highest rate of each layer, float64 `[num_layers]`.
        peak_updates: Updates done when it was set, int64 `[num_layers]`.
        rates: The current or last rate of each layer, float64 `[num_layers]`.
    """

    policy: str = ""
    optimizer: str = ""
    knows_pretrained: bool = False
    follows_optimizer: bool = False
    is_guarded: bool = True
    kinds: tuple[str, ...] = ()
    num_weights: tuple[int, ...] = ()
    updates: int = 0
    is_complete: bool = False
    seconds: float = 0.0
    own_seconds: float = 0.0
    peak_rates: np.ndarray = field(default_factory=lambda: np.zeros(0))
    peak_updates: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    rates: np.ndarray = field(default_factory=lambda: np.zeros(0))
    _began: float | None = None

    def see_rates(self, update: int, rates: np.ndarray) -> None:
        """Notes the rates that the coming updates are made with.

        Args:
            update: Updates done.
            rates: The learning rates, float64 `[num_layers]`.
        """
        self.updates = max(self.updates, update)
        if len(rates) != len(self.peak_rates):
            self.peak_rates = np.full(len(rates), -np.inf)
            self.peak_updates = np.zeros(len(rates), np.int64)
        is_higher = rates > self.peak_rates
        self.peak_rates = np.where(is_higher, rates, self.peak_rates)
        self.peak_updates = np.where(is_higher, update, self.peak_updates)
        self.rates = np.array(rates, np.float64)

    def see_time(self, begin: float) -> None:
        """Notes that the callback was at work from `begin` until now.

        Args:
            begin: What `time.perf_counter()` returned.
        """
        now = perf_counter()
        self._began = begin if self._began is None else self._began
        self.seconds = now - self._began
        self.own_seconds += now - begin
