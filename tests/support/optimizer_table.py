# SPDX-License-Identifier: Apache-2.0
"""Every optimizer of Keras, and a way to run it on two small variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.optimizers.backend import to_host

Optimizer = keras.optimizers.Optimizer
Arrays = list[np.ndarray]

# Rates that move weights of size 1 visibly within 100 updates.
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": partial(keras.optimizers.SGD, 0.01),
    "sgd_momentum": partial(keras.optimizers.SGD, 0.01, momentum=0.9),
    "sgd_nesterov": partial(keras.optimizers.SGD, 0.01, momentum=0.9, nesterov=True),
    "adam": partial(keras.optimizers.Adam, 0.01),
    "adam_amsgrad": partial(keras.optimizers.Adam, 0.01, amsgrad=True),
    "adamw": partial(keras.optimizers.AdamW, 0.01),
    "adamax": partial(keras.optimizers.Adamax, 0.01),
    "nadam": partial(keras.optimizers.Nadam, 0.01),
    "rmsprop": partial(keras.optimizers.RMSprop, 0.01),
    "rmsprop_centered": partial(
        keras.optimizers.RMSprop, 0.01, centered=True, momentum=0.5
    ),
    "adagrad": partial(keras.optimizers.Adagrad, 0.01),
    "adadelta": partial(keras.optimizers.Adadelta, 1.0),
    "adafactor": partial(keras.optimizers.Adafactor, 0.01),
    "ftrl": partial(keras.optimizers.Ftrl, 0.01),
    "lion": partial(keras.optimizers.Lion, 0.001),
    "lamb": partial(keras.optimizers.Lamb, 0.01),
    "muon": partial(keras.optimizers.Muon, 0.01),
    "schedule_free_adamw": partial(keras.optimizers.ScheduleFreeAdamW, 0.01),
}

_SHAPES = [(4, 3), (3,)]


def new_variables() -> list[keras.Variable]:
    """Two variables, the last with a constraint that bites."""
    random = np.random.default_rng(0)
    variables = [
        keras.Variable(
            random.normal(size=shape), dtype=keras.config.floatx(), name=f"layer{i}"
        )
        for i, shape in enumerate(_SHAPES)
    ]
    variables[-1].constraint = keras.constraints.MaxNorm(0.5)
    return variables


def one_group_each(variables: Sequence[keras.Variable]) -> list[LayerGroup]:
    """A layer group for every variable."""
    return [
        LayerGroup(variable.path, "linear", "first", (variable,))
        for variable in variables
    ]


def new_gradients(num_updates: int) -> list[Arrays]:
    """Fixed random gradients, some updates with ten times the norm of others."""
    random = np.random.default_rng(1)
    return [
        [
            (random.normal(size=shape) * random.choice([0.3, 3.0])).astype("float32")
            for shape in _SHAPES
        ]
        for _ in range(num_updates)
    ]


def new_step(
    optimizer: Optimizer, variables: Sequence[keras.Variable]
) -> Callable[[Arrays], None]:
    """A function that applies gradients once, compiled as `fit` does."""
    return _STEPS[keras.backend.backend()](optimizer, variables)


def train(
    optimizer: Optimizer, variables: Sequence[keras.Variable], gradients: list[Arrays]
) -> Arrays:
    """Applies all gradients and returns the values of the variables."""
    if keras.backend.backend() == "tensorflow":
        _tensorflow_train(optimizer, variables, gradients)
    else:
        step = new_step(optimizer, variables)
        for gradient in gradients:
            step(gradient)
    return values(variables)


def values(variables: Sequence[Any]) -> Arrays:
    """Copies of the values."""
    return [np.array(to_host(variable)) for variable in variables]


def _tensorflow_step(
    optimizer: Optimizer, variables: Sequence[keras.Variable]
) -> Callable[[Arrays], None]:
    import tensorflow as tf

    @tf.function(autograph=False)  # As in `fit`.
    def step(gradients: list[tf.Tensor]) -> None:
        optimizer.apply(gradients, variables)

    return lambda gradients: step([tf.constant(gradient) for gradient in gradients])


def _tensorflow_train(
    optimizer: Optimizer, variables: Sequence[keras.Variable], gradients: list[Arrays]
) -> None:
    """All updates in one loop of the graph: a call of it is as long as 20 updates."""
    import tensorflow as tf

    floatx = keras.config.floatx()
    stacked = [
        tf.cast(tf.stack(arrays), floatx) for arrays in zip(*gradients, strict=True)
    ]

    def update(number: tf.Tensor) -> tuple[tf.Tensor]:
        optimizer.apply([arrays[number] for arrays in stacked], variables)
        return (number + 1,)

    @tf.function(autograph=False)  # As in `fit`.
    def loop() -> None:
        tf.while_loop(lambda number: number < len(gradients), update, [0])

    loop()


def _jax_step(
    optimizer: Optimizer, variables: Sequence[keras.Variable]
) -> Callable[[Arrays], None]:
    import jax

    stateless_apply = jax.jit(optimizer.stateless_apply)

    def step(gradients: Arrays) -> None:
        after = stateless_apply(
            [variable.value for variable in optimizer.variables],
            gradients,
            [variable.value for variable in variables],
        )
        for value, variable in zip(after[0], variables, strict=True):
            variable.assign(value)
        for value, variable in zip(after[1], optimizer.variables, strict=True):
            variable.assign(value)

    return step


def _torch_step(
    optimizer: Optimizer, variables: Sequence[keras.Variable]
) -> Callable[[Arrays], None]:
    def step(gradients: Arrays) -> None:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)

    return step


_STEPS = {"tensorflow": _tensorflow_step, "jax": _jax_step, "torch": _torch_step}
