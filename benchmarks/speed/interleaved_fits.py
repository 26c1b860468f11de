# SPDX-License-Identifier: Apache-2.0
"""Runs fits that take turns in one process, so that each compiles only once.

`fit` compiles its training step for each new GANNO callback, so short fits one after
the other would measure the compiler. Here each fit runs in a thread, and hands over to
the next after every interval of updates.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import keras
import numpy as np


class Cost(NamedTuple):
    """The time of a part of a fit, in seconds."""

    wall: float
    cpu: float  # over all threads of the process


Fit = Callable[[keras.callbacks.Callback], None]
"""Fits for one epoch, with the given callback before all others."""


class Turns:
    """The turns of several threads, of which one runs at a time.

    Args:
        num_threads: The number of threads.
    """

    def __init__(self, num_threads: int) -> None:
        self._num_threads = num_threads
        self._next = 0
        self._failed = False
        self._changed = threading.Condition()

    def wait(self, number: int) -> None:
        """Waits for the turn of a thread.

        Raises:
            RuntimeError: If another thread has failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._failed or self._next == number)
            if self._failed:
                raise RuntimeError("The other fit failed.")

    def hand_over(self) -> None:
        """Gives the turn to the next thread."""
        with self._changed:
            self._next = (self._next + 1) % self._num_threads
            self._changed.notify_all()

    def fail(self) -> None:
        """Releases all waiting threads after one of them has failed."""
        with self._changed:
            self._failed = True
            self._changed.notify_all()


class TakingTurns(keras.callbacks.Callback):
    """A callback that hands over before every interval, and measures each interval.

    Args:
        turns: The turns, shared with the other fits.
        number: The number of this fit.
        interval: The batches between two turns.
    """

    def __init__(self, turns: Turns, number: int, interval: int) -> None:
        super().__init__()
        self._turns = turns
        self._number = number
        self._interval = interval
        self._started: Cost | None = None
        self.costs: list[Cost] = []

    def on_train_batch_begin(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Ends a part, and begins the next one when this fit has its turn again."""
        del logs
        if batch % self._interval == 0:
            if self._started is not None:
                self._end_part()
            self._turns.wait(self._number)
            self._started = _now()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Ends the last part."""
        del logs
        self._end_part()

    def _end_part(self) -> None:
        now = _now()
        if self._started is not None:
            pairs = zip(now, self._started, strict=True)
            self.costs.append(Cost(*(end - start for end, start in pairs)))
        self._turns.hand_over()


def _now() -> Cost:
    return Cost(time.perf_counter(), time.process_time())


def costs_of(fits: Sequence[Fit], interval: int) -> list[list[Cost]]:
    """Runs fits side by side, and returns the costs of each one's intervals.

    Args:
        fits: The fits, with equal numbers of batches.
        interval: The batches between two turns.
    """
    turns = Turns(len(fits))
    callbacks = [TakingTurns(turns, n, interval) for n in range(len(fits))]

    def run(number: int) -> None:
        try:
            fits[number](callbacks[number])
        except BaseException:
            turns.fail()
            raise

    with ThreadPoolExecutor(len(fits)) as threads:
        for result in [threads.submit(run, number) for number in range(len(fits))]:
            result.result()
    return [callback.costs for callback in callbacks]


def ratios_to_neighbours(
    costs: Sequence[float], plain: Sequence[float], turns: int = 1
) -> list[float]:
    """Returns the ratios to the plain parts right before and after each part.

    Args:
        costs: The costs of one fit's parts.
        plain: The costs of the fit with the first turn in each round.
        turns: The number of parts in a row whose sums make one ratio. Short parts see
            the same machine; several of them include what is not in each part.
    """
    both = np.asarray(costs), np.asarray(plain)
    around = (both[1][:-1] + both[1][1:]) / 2
    num_ratios = len(around) // turns
    sums = [
        values[: num_ratios * turns].reshape(num_ratios, turns).sum(axis=1)
        for values in (both[0], around)
    ]
    return [float(ratio) for ratio in sums[0] / sums[1]]
