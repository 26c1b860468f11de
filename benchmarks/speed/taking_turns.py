# SPDX-License-Identifier: Apache-2.0
"""Measures speeds by turns, so that a slow moment of the machine hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

Part = Callable[[], int]
"""Does some of the work that is measured, and returns its number of updates."""


def speeds_by_round(
    parts: Mapping[str, Part], rounds: int, before: Callable[[], object] = lambda: None
) -> dict[str, list[float]]:
    """Returns the updates a second of each part in each round.

    Args:
        parts: What is measured. Each has its turn in every round.
        rounds: How many, after one in which everything is compiled.
        before: Is called before each turn, such as to wait for other processes.
    """
    seen: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(rounds + 1):
        for name, run in parts.items():
            before()
            started = time.perf_counter()
            done = run()
            if number:  # The first round compiles.
                seen[name].append(done / (time.perf_counter() - started))
    return seen
