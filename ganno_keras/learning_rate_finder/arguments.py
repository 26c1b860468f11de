# SPDX-License-Identifier: Apache-2.0
"""The checks of what `find_learning_rate` accepts, before anything is changed."""

from __future__ import annotations

from typing import Any, Final

import keras
import numpy as np

from ganno_keras.control.layer_groups import check_keras_model
from ganno_keras.monitoring.validation_sample import can_be_read_again
from ganno_keras.optimizers.backend import has_own_schedule
from ganno_keras.optimizers.specialised_optimizer import (
    innermost,
    is_several,
    is_specialised,
)

FEWEST_UPDATES: Final = 20


def rising_rates(bounds: tuple[float, float], num_updates: int) -> np.ndarray:
    """Checks the arguments and returns each update's rate, float64 `[num_updates]`."""
    values = np.asarray(bounds, dtype=np.float64)
    if values.shape != (2,) or not 0.0 < values[0] < values[1] < np.inf:
        raise ValueError(
            f"learning_rates is {bounds!r}; a pair (first, last) with 0 < first < last "
            "is needed, such as (1e-7, 10.0)."
        )
    if num_updates < FEWEST_UPDATES:
        raise ValueError(
            f"num_updates is {num_updates!r}; a curve needs at least {FEWEST_UPDATES} "
            "updates, and 100 is a good number."
        )
    return np.geomspace(float(values[0]), float(values[1]), num_updates)


def check_divergence(divergence: float | None) -> None:
    """Refuses a factor that would end the test at once."""
    if divergence is not None and not divergence > 1.0:
        raise ValueError(
            f"divergence is {divergence!r}; a number above 1 is needed, such as 4.0, "
            "or None to go on however high the loss is."
        )


def fit_arguments(data: Any, batch_size: int | None) -> dict[str, Any]:
    """Returns the arguments for `fit`: arrays by name, or a dataset."""
    if isinstance(data, tuple | list) and 2 <= len(data) <= 3:
        named = dict(zip(("x", "y", "sample_weight"), data, strict=False))
        return {**named, "batch_size": batch_size}
    if isinstance(data, tuple | list) or not can_be_read_again(data):
        raise TypeError(
            f"data is {type(data).__name__}. Accepted are a tuple (x, y) or "
            "(x, y, sample_weight) of arrays, and datasets of such batches that can be "
            "read more than once. Pass a tf.data.Dataset, for example."
        )
    if batch_size is not None:
        raise ValueError(
            f"batch_size is {batch_size!r}, but the data is a dataset, which has "
            "batches of its own. Leave batch_size out."
        )
    # Keras warns if it is asked to shuffle a dataset that only shuffles itself.
    return {"x": data, "shuffle": isinstance(data, keras.utils.PyDataset)}


def check_model(model: keras.Model) -> None:
    """Refuses a model without a single learning rate, or with nothing to train."""
    check_keras_model(model)
    if not getattr(model, "compiled", False) or model.optimizer is None:
        raise ValueError(
            f"The model {model.name!r} has no optimizer whose learning rate could be "
            "tested. Call model.compile(optimizer=..., loss=...) first."
        )
    if not model.built or not model.trainable_variables:
        raise ValueError(
            f"The model {model.name!r} has no trainable weights yet. Give it a "
            "keras.Input, call it on a batch or build it first, with layers that are "
            "trainable."
        )
    _check_learning_rate(innermost(model.optimizer))


def _check_learning_rate(optimizer: keras.optimizers.Optimizer) -> None:
    if is_several(optimizer) or is_specialised(optimizer):
        raise ValueError(
            f"The optimizer {optimizer.name!r} has several learning rates, so there is "
            "no single one to test. Compile the model with one plain optimizer, or "
            "detach the LayerwiseOptimizer first."
        )
    if has_own_schedule(optimizer):
        raise ValueError(
            f"The learning rate of the optimizer {optimizer.name!r} is a schedule or a "
            f"function: {optimizer._learning_rate!r}, which sets the rate itself. "
            "Compile the model with a number for the test, and use the suggestion in "
            "your schedule."
        )
