# SPDX-License-Identifier: Apache-2.0
"""A trial training that leaves no trace on the model, however it ends."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR

from ganno_keras.fit.watching.undo_on_failure import UndoOnFailure
from ganno_keras.optimizers.backend import to_host
from ganno_keras.optimizers.specialised_optimizer import unwrapped

# What `fit` leaves on a model apart from variables.
_ATTRIBUTES: Final = (
    "_eval_epoch_iterator",
    "history",
    "steps_per_execution",
    "stop_training",
    "train_function",
)
_ABSENT: Final = object()


@contextmanager
def untouched(model: keras.Model) -> Iterator[None]:
    """Restores everything that a `fit` inside changes, also after an exception.

    It restores all variables of the model and its optimizer: weights, moving averages,
    metrics, states of recurrent layers, seed generators, slots, rate, number of
    updates. It also restores the training function and the logs of the last `fit`, and
    the random state of the process. Variables that are made inside keep the values
    that they were made with.

    Args:
        model: Compiled and built.
    """
    guard = UndoOnFailure.of(model)
    if guard is not None:
        guard.release()  # An earlier fit failed: what it left is not the model's own.
    # Without its slots there would be nothing to restore.
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    values = [(it, _copy(it)) for it in _variables(model)]
    attributes = {name: vars(model).get(name, _ABSENT) for name in _ATTRIBUTES}
    with unchanged_random_state():
        try:
            yield
        finally:
            for name, attribute in attributes.items():
                _put_back(model, name, attribute)
            model.reset_metrics()  # Those that the fit has made.
            for variable, value in values:
                variable.assign(value)


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Returns all variables that a fit may change, also those not listed by Keras.

    States of recurrent layers are not among the model's variables, nor are metrics
    that `model.metrics` leaves out.
    """
    parts = [*model._flatten_layers(), *model.metrics, *unwrapped(model.optimizer)]
    found = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    for part in parts:
        found += getattr(part, "variables", [])
        found += [it for value in vars(part).values() for it in _variables_in(value)]
    return list({id(variable): variable for variable in found}.values())


def _variables_in(value: Any) -> list[keras.Variable]:
    """Returns the variables in an attribute: itself, in containers, or in a metric."""
    if isinstance(value, keras.Variable):
        return [value]
    if isinstance(value, keras.metrics.Metric):
        return list(value.variables)
    if isinstance(value, dict):
        value = tuple(value.values())
    if not isinstance(value, list | tuple):
        return []
    return [variable for part in value for variable in _variables_in(part)]


def _put_back(model: keras.Model, name: str, value: Any) -> None:
    if value is not _ABSENT:
        setattr(model, name, value)
    elif name in vars(model):
        delattr(model, name)


def _copy(variable: keras.Variable) -> np.ndarray:
    return np.array(to_host(variable))


@contextmanager
def unchanged_random_state() -> Iterator[None]:
    """Restores the random state of Python, NumPy and Keras on leaving.

    It restores PyTorch's, too, if that is the backend. What TensorFlow itself samples
    depends on its seed and on the graph, not on what was sampled before.
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
