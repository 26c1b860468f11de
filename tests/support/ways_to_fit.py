# SPDX-License-Identifier: Apache-2.0
"""Tables of the ways in which Keras trains, and what GANNO promises in every one.

A row makes a compiled model and the arguments of `fit`. With the no-op policy the fit
equals a plain one bit by bit, the policy is asked after every update but the last, and
the optimizer is plain afterwards. docs/compatibility.md says the same in words.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from ganno_keras import GANNO
from ganno_keras.control.layer_groups import layer_groups
from tests.support.models import assert_same_state
from tests.support.policies import SUBTRACT, by_timestep

X, Y = (
    np.random.default_rng(3).normal(size=(32, 6)).astype("float32"),
    np.arange(32) % 3,
)
TOKENS = np.random.default_rng(4).integers(0, 7, size=(32, 5))
EPOCHS, BATCH_SIZE = 2, 8
SPARSE = "sparse_categorical_crossentropy"
BACKENDS = ("tensorflow", "jax", "torch")
IN_SEVERAL_STEPS = pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="an execution has one step there"
)
"""For fits with `steps_per_execution`."""

Built = tuple[keras.Model, dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class ActionScript:
    """A row: how a fit is made, and what is to be seen in it.

    Attributes:
        build: Makes a compiled model and the arguments of `fit`.
        updates: After which updates the policy is asked.
        has_accuracy: Whether it sees an accuracy.
        dtype_policy: Of Keras, while the model is built.
        backends: Where Keras can do it.
        is_slow: Whether the comparison is one of the slow tests.
    """

    build: Callable[[], Built]
    updates: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    has_accuracy: bool = True
    dtype_policy: str = "float32"
    backends: tuple[str, ...] = BACKENDS
    is_slow: bool = False

    def fit(self, callbacks: list[keras.callbacks.Callback]) -> keras.Model:
        """A new model, trained; equal each time but for the callbacks."""
        keras.utils.set_random_seed(1)
        keras.config.set_dtype_policy(self.dtype_policy)
        try:
            model, arguments = self.build()
        finally:
            keras.config.set_dtype_policy("float32")
        defaults = {
            "x": X,
            "y": Y,
            "batch_size": BATCH_SIZE,
            "epochs": EPOCHS,
            "shuffle": False,
            "verbose": 0,
        }
        model.fit(**{**defaults, **arguments}, callbacks=callbacks)
        return model


class Table:
    """The rows of a file of tests."""

    def __init__(self) -> None:
        self.rows: dict[str, ActionScript] = {}
        self.acting: list[str] = []

    def row(
        self, name: str, *, acts: bool = False, **promised: Any
    ) -> Callable[[Callable[[], Built]], Callable[[], Built]]:
        """Adds a row; its rates are tested to take effect as well if it `acts`."""

        def add(build: Callable[[], Built]) -> Callable[[], Built]:
            self.rows[name] = ActionScript(build, **promised)
            if acts:
                self.acting.append(name)
            return build

        return add

    def each(self) -> pytest.MarkDecorator:
        """Gives a test every row as `way`."""
        return pytest.mark.parametrize(
            "way",
            [
                _parameter(name, way, [pytest.mark.slow] * way.is_slow)
                for name, way in self.rows.items()
            ],
        )

    def each_acting(self) -> pytest.MarkDecorator:
        """Gives a test the rows that act as `way`."""
        return pytest.mark.parametrize(
            "way", [_parameter(name, self.rows[name], []) for name in self.acting]
        )


def _parameter(name: str, way: ActionScript, marks: list[pytest.MarkDecorator]) -> Any:
    here = pytest.mark.skipif(
        keras.backend.backend() not in way.backends,
        reason=f"only with {', '.join(way.backends)}",
    )
    return pytest.param(way, id=name, marks=[here, *marks])


def compiled(model: keras.Model, loss: Any = SPARSE, **arguments: Any) -> keras.Model:
    """The model, compiled with what most rows have."""
    defaults = {"optimizer": keras.optimizers.SGD(0.001), "metrics": ["accuracy"]}
    model.compile(loss=loss, **{**defaults, **arguments})
    return model


def classifier(*hidden: keras.layers.Layer, **arguments: Any) -> keras.Model:
    """A compiled Sequential for X and Y."""
    body = hidden or (layers.Dense(4, activation="relu"),)
    softmax = layers.Dense(3, activation="softmax", dtype="float32")
    model = keras.Sequential([keras.Input((6,)), *body, softmax])
    return compiled(model, **arguments)


def assert_no_op_changes_nothing(way: ActionScript) -> None:
    """Asserts all that a policy which does nothing promises."""
    ganno = GANNO("no-op", interval=1)
    controlled, plain = way.fit([ganno]), way.fit([])
    assert_same_state(controlled, plain)
    assert type(controlled.optimizer) is type(plain.optimizer)
    assert set(vars(controlled)) == set(vars(plain))
    assert ganno.history.updates.tolist() == list(way.updates)
    assert ganno.history.layers == tuple(
        group.name.removeprefix(f"{controlled.name}/")
        for group in layer_groups(controlled)
    )
    assert np.isfinite(ganno.history.measured("train_loss")).all()
    accuracies = ganno.history.measured("train_accuracy")
    assert np.isnan(accuracies).all() != way.has_accuracy


def assert_rates_take_effect(way: ActionScript) -> None:
    """Asserts that a rate of 0.001 minus 0.001 is 0, from the first decision on."""
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if len(ganno.history.timesteps) == 1:
                seen.extend(trained_weights(self.model))

    ganno = GANNO(by_timestep(SUBTRACT, *[0] * 20), interval=1)
    model = way.fit([ganno, Look()])
    for before, after in zip(seen, trained_weights(model), strict=False):
        np.testing.assert_array_equal(before, after)
    assert seen


def trained_weights(model: keras.Model) -> list[np.ndarray]:
    """Copies of the trainable variables."""
    return [
        np.array(keras.ops.convert_to_numpy(variable))
        for variable in model.trainable_variables
    ]
