# SPDX-License-Identifier: Apache-2.0
"""Arrays that are read at the moment when somebody saves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

import numpy as np


class _ReadWhenSaved:
    """Stands for an array that `read` gives."""

    def __init__(self, read: Callable[[], np.ndarray]) -> None:
        self._read = read

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._read(), dtype, copy=copy)


def offer_when_saved(
    host_state: MutableMapping[str, Any],
    get_state: Callable[[], Mapping[str, np.ndarray]],
) -> None:
    """Puts the entries of a state where Keras saves them, read only then.

    A callback that saves at the end of an epoch may come before GANNO's own turn, so
    what was put there earlier would be too old.

    Args:
        host_state: What is saved with the optimizer.
        get_state: Gives the state; always the same names.
    """
    for name in get_state():
        host_state[name] = _ReadWhenSaved(partial(_entry, get_state, name))


def _entry(get_state: Callable[[], Mapping[str, np.ndarray]], name: str) -> np.ndarray:
    return get_state()[name]
