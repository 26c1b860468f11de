# SPDX-License-Identifier: Apache-2.0
"""A trial training that leaves no trace on the model, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import keras
import numpy as np
from keras import ops

from ganno_keras._fit_guard import FitGuard
from ganno_keras._random_state import unchanged_random_state

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
def leaving_no_trace(model: keras.Model) -> Iterator[None]:
    """Puts everything back that a `fit` inside changes, also after an exception.

    That is all variables of the model and its optimizer (weights, moving averages,
    metrics, seed generators, slots, rate, number of updates), the training function
    and the logs of the last `fit`, and the random state of the process. Variables that
    are made inside are left with the values that they were made with.

    Args:
        model: Compiled and built.
    """
    guard = FitGuard.of(model)
    if guard is not None:
        guard.release()  # An earlier fit failed: what it left is not the model's own.
    # Without its slots there would be nothing to put back.
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
    both = [*model.variables, *model.optimizer.variables]
    return list({id(variable): variable for variable in both}.values())


def _put_back(model: keras.Model, name: str, value: Any) -> None:
    if value is not _ABSENT:
        setattr(model, name, value)
    elif name in vars(model):
        delattr(model, name)


def _copy(variable: keras.Variable) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable))
