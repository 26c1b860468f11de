# SPDX-License-Identifier: Apache-2.0
"""The memory of a training: saved with its optimizer and handed back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, cast

import numpy as np

from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer


class _ReadWhenSaved:
    """A stand-in for an array that `read` gives."""

    def __init__(self, read: Callable[[], np.ndarray]) -> None:
        self._read = read

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._read(), dtype, copy=copy)


class HasState(Protocol):
    """An object that changes over a training and has to be resumed with it."""

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns what changes; always the same names."""

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave, among entries of others."""


class Resumption:
    """The parts of a fit, saved with its optimizer and resumed after a load.

    Args:
        layerwise: The optimizer whose file the state travels in.
    """

    def __init__(self, layerwise: LayerwiseOptimizer) -> None:
        self._layerwise = layerwise
        self._num_loads = layerwise.num_loads
        self._parts: Sequence[HasState] = ()

    def offer(self, parts: Sequence[HasState]) -> None:
        """Offers the entries of all parts to Keras, which reads them when it saves.

        A callback may save at the end of an epoch before GANNO's own turn. Values that
        were read earlier would be too old.

        Args:
            parts: The parts of the fit; their entries have different names.
        """
        self._parts = parts
        for part in parts:
            for name in part.get_state():
                read = partial(_entry, part, name)
                entry = cast(np.ndarray, _ReadWhenSaved(read))
                self._layerwise.host_state[name] = entry

    def loaded_state(self) -> dict[str, np.ndarray] | None:
        """Returns the state that has been loaded since the last look, if any."""
        if self._layerwise.num_loads == self._num_loads:
            return None
        self._num_loads = self._layerwise.num_loads
        state = dict(self._layerwise.host_state)
        if "counters" not in state:
            return None
        # Entries that no part offers again must not be saved again.
        self._layerwise.host_state.clear()
        return state

    def hand_back(self, state: Mapping[str, np.ndarray]) -> None:
        """Returns its entries to every part that was offered last."""
        for part in self._parts:
            part.set_state(state)


def _entry(part: HasState, name: str) -> np.ndarray:
    return part.get_state()[name]
