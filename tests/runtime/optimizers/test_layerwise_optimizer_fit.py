# SPDX-License-Identifier: Apache-2.0
"""The layerwise optimizer inside `fit`, and called by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from ganno_keras.control.layer_groups import layer_groups
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from tests.support.models import assert_same_state, state_of, tiny_data, tiny_model
from tests.support.optimizer_table import one_group_each

pytestmark = pytest.mark.backend

X, Y = tiny_data(48)
TOKENS = np.random.default_rng(5).integers(0, 9, (48, 6))
CASES = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9, weight_decay=0.1),
    "nadam": lambda: keras.optimizers.Nadam(0.01, gradient_accumulation_steps=2),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01, momentum=0.9),
    "lamb": lambda: keras.optimizers.Lamb(0.01, global_clipnorm=0.5),
}


def token_model(optimizer, normalized=False, **compile_arguments):
    """Repeated tokens, so that the gradient of the embedding is sparse."""
    keras.utils.set_random_seed(4)
    layers = [
        keras.layers.Embedding(9, 4),
        keras.layers.Conv1D(3, 2, kernel_constraint=keras.constraints.MaxNorm(0.5)),
        *([keras.layers.BatchNormalization()] if normalized else []),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ]
    model = keras.Sequential([keras.Input((6,), dtype="int32"), *layers])
    model.compile(optimizer, "sparse_categorical_crossentropy", **compile_arguments)
    return model


def fit(model, epochs=2):
    model.fit(TOKENS, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0)


# JAX always compiles; XLA needs a minute for some, and the compiler of PyTorch for all.
COMPILED = {"tensorflow": {"adam", "momentum"}, "jax": set(CASES), "torch": set()}


@pytest.mark.parametrize("name", CASES)
def test_fit_with_equal_rates__is_the_plain_fit(name):
    make, jit_compile = CASES[name], name in COMPILED[keras.backend.backend()]
    plain = token_model(make(), jit_compile=jit_compile)
    fit(plain)
    model = token_model(make(), jit_compile=jit_compile)
    with LayerwiseOptimizer(model.optimizer, layer_groups(model)) as layerwise:
        model.optimizer.build(model.trainable_variables)
        layerwise.collect_statistics(True)
        fit(model)
    assert_same_state(model, plain)


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_fit_with_normalization__is_the_plain_fit_but_for_the_last_bits(make):
    # The gradient of a scale ends in a product, which a compiler may join with that by
    # the rate; not so where the statistics need the gradient itself.
    plain, model = (
        token_model(make(), normalized=True, jit_compile=False) for _ in range(2)
    )
    fit(plain)
    with LayerwiseOptimizer(model.optimizer, layer_groups(model)):
        model.optimizer.build(model.trainable_variables)
        fit(model)
    for one, other in zip(state_of(model), state_of(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def moved_since(before, model):
    return [
        not np.array_equal(*pair)
        for pair in zip(before, model.get_weights(), strict=True)
    ]


def test_rate_of_zero__freezes_one_layer_in_fit():
    model = token_model(CASES["momentum"](), jit_compile=False)
    fit(model)
    with LayerwiseOptimizer(
        model.optimizer, layer_groups(model), model=model
    ) as layerwise:
        names = [group.name for group in layerwise.groups]
        frozen = next(i for i, name in enumerate(names) if "embedding" in name)
        layerwise.set_learning_rates([0.01 * (i != frozen) for i in range(len(names))])
        before = model.get_weights()
        fit(model)
    moved = moved_since(before, model)
    assert moved == [False, *[True] * (len(moved) - 1)]
    before = model.get_weights()
    fit(model)
    assert all(moved_since(before, model))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision__is_looked_through(policy):
    states = []
    for attached in (False, True):
        keras.config.set_dtype_policy(policy)
        try:
            model = tiny_model(keras.optimizers.Adam(0.01))
        finally:
            keras.config.set_dtype_policy("float32")
        if attached:
            layerwise = LayerwiseOptimizer(model.optimizer, layer_groups(model))
            assert type(layerwise.inner_optimizer._learning_rate) is keras.Variable
        model.fit(X, Y, batch_size=8, verbose=0)
        states.append(model)
    layerwise.detach()
    assert_same_state(*states)


def test_unbuilt_model__gets_its_rates_when_fit_builds_it():
    model = tiny_model(keras.optimizers.Adam(0.25), built=False)
    layerwise = LayerwiseOptimizer(model.optimizer, lambda _: layer_groups(model))
    with layerwise:
        with pytest.raises(ValueError, match=r"Call `optimizer.build\("):
            _ = layerwise.learning_rates
        # What moves the base rate between attaching and building is not heard.
        with pytest.warns(UserWarning, match="has no effect"):
            model.optimizer.learning_rate = 0.5
        model.fit(X, Y, verbose=0)
        rates = ops.convert_to_numpy(layerwise.learning_rates)
        assert rates.tolist() == [0.25, 0.25]
        assert [group.kind for group in layerwise.groups] == ["linear", "linear"]


def test_groups_by_default__are_the_layers():
    model = tiny_model(keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    with LayerwiseOptimizer(model.optimizer) as layerwise:
        sizes = [len(group.variables) for group in layerwise.groups]
    assert sizes == [2, 2]


def test_update_step_called_by_hand__obeys_its_argument():
    variable = keras.Variable(np.ones(2, "float32"))
    optimizer = keras.optimizers.SGD(0.5, momentum=0.9)
    optimizer.build([variable])
    with LayerwiseOptimizer(optimizer) as layerwise:
        layerwise.set_learning_rates([0.0])
        keras.optimizers.SGD.update_step(optimizer, ops.ones(2), variable, 0.25)
        by_class = np.array(ops.convert_to_numpy(variable))
        optimizer.update_step(ops.ones(2), variable, 0.25)
    assert by_class.tolist() == [0.75, 0.75]
    moved = ops.convert_to_numpy(variable)
    np.testing.assert_allclose(moved, [0.275, 0.275], rtol=1e-6)


def test_weight_decay__is_that_of_each_group():
    variables = [keras.Variable(np.ones(2, "float32")) for _ in range(3)]
    optimizer = keras.optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=variables[2:])
    optimizer.build(variables)
    with LayerwiseOptimizer(optimizer, one_group_each(variables)) as layerwise:
        layerwise.set_weight_decays([0.0, 0.25, 1.0])
        optimizer.apply([ops.zeros(2)] * 3, variables)
    decayed = [float(ops.convert_to_numpy(variable)[0]) for variable in variables]
    assert decayed == [1.0, 0.875, 1.0]


def test_weight_decays__of_an_optimizer_without_are_refused():
    model = tiny_model(keras.optimizers.Adam())
    with LayerwiseOptimizer(model.optimizer, layer_groups(model)) as layerwise:
        assert layerwise.weight_decays is None
        with pytest.raises(ValueError, match="`weight_decay` above 0"):
            layerwise.set_weight_decays([0.1, 0.1])


def test_exception_in_a_with_block__detaches():
    model = tiny_model(keras.optimizers.Adam())
    plain = type(model.optimizer)
    with (
        pytest.raises(KeyboardInterrupt),
        LayerwiseOptimizer(model.optimizer, layer_groups(model)),
    ):
        raise KeyboardInterrupt
    assert type(model.optimizer) is plain
