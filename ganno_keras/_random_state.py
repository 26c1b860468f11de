# SPDX-License-Identifier: Apache-2.0
"""The random numbers of a process: kept, and given back as they were."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

import keras
import numpy as np
from keras import ops

# Keras offers no public way to its own generator.
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR


@contextmanager
def unchanged_random_state() -> Iterator[None]:
    """Lets Python, NumPy and Keras draw the next numbers as if nothing had happened.

    Also PyTorch, if it is the backend. What TensorFlow draws by itself depends on its
    seed and on the graph, not on what was drawn before.
    """
    restore = [_python(), _numpy(), _keras()]
    if keras.backend.backend() == "torch":
        restore.append(_torch())
    try:
        yield
    finally:
        for give_back in restore:
            give_back()


def _python() -> Callable[[], None]:
    state = random.getstate()
    return lambda: random.setstate(state)


def _numpy() -> Callable[[], None]:
    state = np.random.get_state()  # noqa: NPY002  the global one is what users share
    return lambda: np.random.set_state(state)  # noqa: NPY002


def _keras() -> Callable[[], None]:
    generator = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    state = None if generator is None else _copy(generator.state)

    def give_back() -> None:
        global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, generator)
        if generator is not None:
            generator.state.assign(state)

    return give_back


def _torch() -> Callable[[], None]:
    torch = import_module("torch")
    state = torch.get_rng_state()
    return lambda: torch.set_rng_state(state)


def _copy(variable: keras.Variable) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable))
