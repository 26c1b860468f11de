# SPDX-License-Identifier: Apache-2.0
"""One table of promises: every optimizer of Keras is a row, every setting a column.

Where a compiler takes the liberty to reorder arithmetic, the last bit may differ. Those
cells are named here, tested to that bit, and listed in docs/compatibility.md.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import keras
import numpy as np
import pytest

from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from tests.support.optimizer_table import (
    OPTIMIZERS,
    new_gradients,
    new_step,
    new_variables,
    one_group_each,
    train,
    values,
)

pytestmark = pytest.mark.backend

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "weight_decay+clipnorm": {"weight_decay": 0.1, "clipnorm": 1.0},
    "ema+clipvalue+loss_scale_factor": {
        "use_ema": True,
        "ema_overwrite_frequency": 7,
        "clipvalue": 0.5,
        "loss_scale_factor": 8.0,
    },
    "accumulation+global_clipnorm": {
        "gradient_accumulation_steps": 3,
        "global_clipnorm": 1.0,
    },
    "loss_scale_optimizer": {"loss_scaled": True},
}
# (backend, optimizer, setting): XLA fuses a step in another way when its result is also
# measured before the average overwrites it, or when a decay comes before a condition.
LAST_BIT_DIFFERS = {
    ("jax", "rmsprop", "ema+clipvalue+loss_scale_factor"),
    ("jax", "schedule_free_adamw", "weight_decay+clipnorm"),
}
NUM_UPDATES = 100
# Every setting with the optimizers of the paper; the others' are many, and run as slow.
THOROUGHLY = ("sgd_momentum", "adam", "adamw")
CELLS = [
    pytest.param(
        name,
        setting,
        id=f"{name}-{setting}",
        marks=[] if name in THOROUGHLY or setting == "plain" else pytest.mark.slow,
    )
    for name in OPTIMIZERS
    for setting in SETTINGS
]

each_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


@pytest.fixture(autouse=True)
def _arithmetic_in_its_written_order(request: pytest.FixtureRequest) -> Any:
    """Keeps TensorFlow from reordering Muon's products of a rate and constants."""
    name = request.node.callspec.params["name"] if "[" in request.node.name else ""
    if keras.backend.backend() != "tensorflow" or name != "muon":
        yield
        return
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    yield
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": True})


def _new_optimizer(name: str, loss_scaled: bool = False, **settings: Any) -> Any:
    optimizer = OPTIMIZERS[name](**settings)
    return keras.optimizers.LossScaleOptimizer(optimizer) if loss_scaled else optimizer


def _attached(
    name: str, **settings: Any
) -> tuple[keras.optimizers.Optimizer, list[keras.Variable], LayerwiseOptimizer]:
    variables = new_variables()
    optimizer = _new_optimizer(name, **settings)
    optimizer.build(variables)
    groups = one_group_each(variables)
    return optimizer, variables, LayerwiseOptimizer(optimizer, groups)


def _assert_promised(
    actual: list[np.ndarray], expected: list[np.ndarray], name: str, setting: str
) -> None:
    if (keras.backend.backend(), name, setting) in LAST_BIT_DIFFERS:
        for one, other in zip(actual, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_equal(actual, expected)


@pytest.mark.parametrize(("name", "setting"), CELLS)
def test_equal_rates__are_bit_identical_to_the_plain_optimizer(
    name: str, setting: str
) -> None:
    gradients = new_gradients(NUM_UPDATES)
    plain, plain_variables = _new_optimizer(name, **SETTINGS[setting]), new_variables()
    plain.build(plain_variables)
    expected = train(plain, plain_variables, gradients)

    optimizer, variables, layerwise = _attached(name, **SETTINGS[setting])
    layerwise.collect_statistics(True)
    _assert_promised(train(optimizer, variables, gradients), expected, name, setting)

    layerwise.detach()
    slots, plain_slots = values(optimizer.variables), values(plain.variables)
    _assert_promised(slots, plain_slots, name, setting)


@pytest.fixture
def floatx(request: pytest.FixtureRequest) -> Any:
    """Has Keras make its numbers of another type meanwhile."""
    before = keras.config.floatx()
    keras.config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx(before)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its own types")
@pytest.mark.parametrize("floatx", ["float64", "float16", "bfloat16"], indirect=True)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in THOROUGHLY else pytest.mark.slow)
        for name in OPTIMIZERS
    ],
)
def test_equal_rates__are_bit_identical_in_every_precision(
    name: str, floatx: str
) -> None:
    setting = "weight_decay+clipnorm"
    gradients = new_gradients(20)
    plain, plain_variables = _new_optimizer(name, **SETTINGS[setting]), new_variables()
    try:
        plain.build(plain_variables)
        expected = train(plain, plain_variables, gradients)
    except (TypeError, ValueError) as error:
        pytest.skip(f"plain Keras cannot: {error}"[:100])
    optimizer, variables, layerwise = _attached(name, **SETTINGS[setting])
    layerwise.collect_statistics(True)
    _assert_promised(train(optimizer, variables, gradients), expected, name, setting)


@each_optimizer
def test_rate_zero__freezes_exactly_that_group(name: str) -> None:
    optimizer, variables, layerwise = _attached(name, weight_decay=0.1)
    step, gradients = new_step(optimizer, variables), new_gradients(15)
    rates = np.array(keras.ops.convert_to_numpy(layerwise.learning_rates))
    states = [values(variables)]
    # Both groups move, one stands still, both move again.
    for share in ([1.0, 1.0], [0.0, 1.0], [1.0, 1.0]):
        layerwise.set_learning_rates(rates * share)
        for gradient in gradients[5 * len(states) - 5 : 5 * len(states)]:
            step(gradient)
        states.append(values(variables))
    moved = [
        [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
        for before, after in pairwise(states)
    ]
    assert moved == [[True, True], [False, True], [True, True]]
    assert all(np.isfinite(value).all() for value in states[-1])


@pytest.mark.parametrize("setting", ["weight_decay+clipnorm"])
@each_optimizer
def test_unequal_rates__equal_one_optimizer_for_each_group(
    name: str, setting: str
) -> None:
    rates, gradients = [0.02, 0.003], new_gradients(30)
    variables = new_variables()
    parts = [OPTIMIZERS[name](**SETTINGS[setting]) for _ in rates]
    for part, rate in zip(parts, rates, strict=True):
        part.learning_rate = rate
    oracle = keras.optimizers.MultiOptimizer(
        lambda variable: parts[1 if "layer1" in variable.path else 0]
    )
    oracle.build(variables)
    expected = train(oracle, variables, gradients)

    optimizer, variables, layerwise = _attached(name, **SETTINGS[setting])
    layerwise.set_learning_rates(rates)
    _assert_promised(train(optimizer, variables, gradients), expected, name, setting)
