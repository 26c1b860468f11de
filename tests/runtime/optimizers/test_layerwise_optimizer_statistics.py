# SPDX-License-Identifier: Apache-2.0
"""The statistics that are taken in the graph, for every optimizer of Keras."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from tests.support.optimizer_table import (
    OPTIMIZERS,
    new_gradients,
    new_step,
    new_variables,
    one_group_each,
    values,
)

pytestmark = pytest.mark.backend

RATES = np.array([0.02, 0.05])
GRADIENTS = new_gradients(6)
NO_DECAY = {"muon": {"adam_weight_decay": None}}
# Their steps are not a rate times something that the rate does not change.
WITHOUT_DIRECTION_AT_ZERO = {
    "sgd_momentum",
    "sgd_nesterov",
    "rmsprop_centered",
    "adafactor",
    "ftrl",
    "lamb",
    "schedule_free_adamw",
}


def attached(optimizer, variables):
    """A layerwise optimizer of one group a variable, and a compiled step."""
    optimizer.build(variables)
    layerwise = LayerwiseOptimizer(optimizer, one_group_each(variables))
    return layerwise, new_step(optimizer, variables)


def norms(arrays):
    return [np.linalg.norm(array.astype(np.float64)) for array in arrays]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_statistics__of_a_measured_update_are_numpys(name):
    variables = new_variables()
    variables[-1].constraint = None
    settings = {"weight_decay": 0.0, **NO_DECAY.get(name, {})}
    layerwise, step = attached(OPTIMIZERS[name](**settings), variables)
    layerwise.set_learning_rates(RATES)
    for gradient in GRADIENTS[:5]:
        step(gradient)
    before = values(variables)
    layerwise.collect_statistics(True)
    step(GRADIENTS[5])
    after, statistics = values(variables), layerwise.statistics()
    change = [
        (old.astype(np.float64) - new) / rate
        for old, new, rate in zip(before, after, RATES, strict=True)
    ]
    expected = {
        "weight_mean": [array.astype(np.float64).mean() for array in after],
        "weight_variance": [array.astype(np.float64).var() for array in after],
        "weight_norm": norms(after),
        "gradient_norm": norms(GRADIENTS[5]),
        "update_norm": norms(change),
        "trust_ratio": np.divide(norms(after), norms(change)),
    }
    for field, value in expected.items():
        actual = getattr(statistics, field)
        np.testing.assert_allclose(actual, value, rtol=1e-3, atol=1e-6, err_msg=field)


MEMORIES = {
    "sgd_momentum": 0.9,
    "sgd_nesterov": 0.9,
    **dict.fromkeys(["adam", "adam_amsgrad", "adamw", "adamax", "nadam"], 0.9),
    "lion": 0.99,
    "muon": 0.95,
}
"""How much of the mean of the gradients one update keeps."""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_coherence__is_the_cosine_of_gradient_and_mean_of_those_before(name):
    variables = new_variables()
    layerwise, step = attached(OPTIMIZERS[name](), variables)
    layerwise.set_learning_rates(RATES)
    layerwise.collect_statistics(True)
    step(GRADIENTS[0])
    np.testing.assert_array_equal(layerwise.statistics().coherence, [0.0, 0.0])
    for gradient in GRADIENTS[1:]:
        step(gradient)
    found, expected = layerwise.statistics().coherence, np.zeros(2)
    for place in range(2 if name in MEMORIES else 0):
        memory = 0.9 if name == "muon" and place == 1 else MEMORIES[name]
        earlier = [gradient[place] for gradient in GRADIENTS[:-1]]
        mean = sum(memory ** (5 - age) * it for age, it in enumerate(earlier))
        last = GRADIENTS[-1][place]
        norms_of_both = np.linalg.norm(mean) * np.linalg.norm(last)
        expected[place] = np.sum(mean * last) / norms_of_both
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_update_norm__at_rate_zero_is_that_of_any_rate_or_the_last(name):
    variables, optimizer = new_variables(), OPTIMIZERS[name]()
    layerwise, step = attached(optimizer, variables)
    layerwise.collect_statistics(True)
    step(GRADIENTS[0])
    last = layerwise.statistics().update_norm[0]
    training = [*variables, *optimizer.variables]
    before, found = values(training), []
    for rate in (0.0, 0.05):
        for variable, value in zip(training, before, strict=True):
            variable.assign(value)
        layerwise.set_learning_rates([rate, 0.05])
        step(GRADIENTS[1])
        found.append(layerwise.statistics().update_norm[0])
    if name in WITHOUT_DIRECTION_AT_ZERO:
        assert found[0] == last
    else:
        np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


def test_statistics__are_those_of_the_last_measured_update():
    variables = new_variables()
    variables[-1].constraint = None  # In graphs weights are measured before it.
    layerwise, step = attached(keras.optimizers.Adam(), variables)
    assert layerwise.statistics().gradient_norm.tolist() == [0, 0]
    weights = {}
    for number, gradient in enumerate(GRADIENTS):
        layerwise.collect_statistics(number == 3)
        step(gradient)
        weights[number] = values(variables)
    statistics, sums = layerwise.statistics(), layerwise.statistics_sums
    np.testing.assert_allclose(statistics.gradient_norm, norms(GRADIENTS[3]), rtol=1e-6)
    np.testing.assert_allclose(statistics.weight_norm, norms(weights[3]), rtol=1e-6)
    assert norms(weights[3]) != norms(weights[len(GRADIENTS) - 1])
    step(GRADIENTS[0])
    np.testing.assert_equal(layerwise.statistics_sums, sums)


@pytest.mark.filterwarnings("ignore:Gradients do not exist:UserWarning")
@pytest.mark.parametrize("name", ["adam", "adamax", "adagrad"])
def test_statistics__of_a_variable_without_gradient_are_of_no_update(name):
    variables = new_variables()
    optimizer = OPTIMIZERS[name]()
    layerwise, step = attached(optimizer, variables)
    step(GRADIENTS[0])
    layerwise.collect_statistics(True)
    gradients = map(keras.ops.convert_to_tensor, GRADIENTS[1])
    optimizer.apply([next(gradients), None], variables)
    statistics = layerwise.statistics()
    np.testing.assert_equal(statistics.gradient_norm > 0, [True, False])
    np.testing.assert_equal(statistics.update_norm > 0, [True, False])
    np.testing.assert_allclose(statistics.weight_norm, norms(values(variables)), 1e-6)


@pytest.mark.parametrize("name", ["adam", "adamax", "rmsprop"])
def test_gradient_norm__of_gradients_that_stay_the_same_is_theirs(name):
    layerwise, step = attached(OPTIMIZERS[name](), new_variables())
    for _ in range(200):  # Until running means are equal to it, to the last bit.
        step(GRADIENTS[0])
    layerwise.collect_statistics(True)
    step(GRADIENTS[0])
    found = layerwise.statistics().gradient_norm
    np.testing.assert_allclose(found, norms(GRADIENTS[0]), rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its iterators")
@pytest.mark.parametrize("name", ["adam", "adamax", "sgd"])
def test_statistics__outlast_a_step_that_finds_no_data(name):
    import tensorflow as tf

    variables, optimizer = new_variables(), OPTIMIZERS[name]()
    layerwise, _ = attached(optimizer, variables)
    layerwise.collect_statistics(True)
    data = iter(
        tf.data.Dataset.from_tensor_slices(
            tuple(np.stack(arrays) for arrays in zip(*GRADIENTS[:3], strict=True))
        )
    )

    @tf.function(autograph=False)  # As in `fit`.
    def next_step():
        optimizer.apply(list(next(data)), variables)

    for _ in range(3):
        next_step()
    with pytest.raises(tf.errors.OutOfRangeError):
        next_step()
    found = layerwise.statistics().gradient_norm
    np.testing.assert_allclose(found, norms(GRADIENTS[2]), rtol=1e-5)


def test_gradient_norm__is_that_of_the_gradient_the_optimizer_uses():
    optimizer = keras.optimizers.SGD(
        global_clipnorm=0.01, gradient_accumulation_steps=2, loss_scale_factor=4.0
    )
    layerwise, step = attached(optimizer, new_variables())
    layerwise.collect_statistics(True)
    for gradient in GRADIENTS[:2]:
        step(gradient)
    total = np.linalg.norm(layerwise.statistics().gradient_norm)
    np.testing.assert_allclose(total, 0.01, rtol=1e-5)


def test_update_norm__leaves_weight_decay_out():
    found = []
    for weight_decay in (0.0, 0.5):
        optimizer = keras.optimizers.AdamW(0.05, weight_decay=weight_decay)
        layerwise, step = attached(optimizer, new_variables())
        layerwise.collect_statistics(True)
        step(GRADIENTS[0])
        found.append(layerwise.statistics().update_norm)
    np.testing.assert_array_equal(found[0], found[1])


def test_skipped_update__leaves_the_statistics():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
    layerwise, step = attached(optimizer, new_variables())
    layerwise.collect_statistics(True)
    step(GRADIENTS[0])
    statistics = layerwise.statistics_sums
    step([np.full_like(gradient, np.inf) for gradient in GRADIENTS[1]])
    np.testing.assert_equal(layerwise.statistics_sums, statistics)


def test_group_of_several_variables__is_summed_up():
    variables = new_variables()
    optimizer = keras.optimizers.SGD()
    optimizer.build(variables)
    group = LayerGroup("both", "linear", "first", tuple(variables))
    layerwise = LayerwiseOptimizer(optimizer, [group])
    layerwise.collect_statistics(True)
    new_step(optimizer, variables)(GRADIENTS[0])
    flat = np.concatenate([gradient.ravel() for gradient in GRADIENTS[0]])
    statistics = layerwise.statistics()
    np.testing.assert_allclose(
        statistics.gradient_norm, [np.linalg.norm(flat)], rtol=1e-6
    )
    assert statistics.weight_mean.shape == (1,)


def test_variable_without_gradient__still_counts_among_the_weights():
    variables = new_variables()
    optimizer = keras.optimizers.Adam()
    layerwise, _ = attached(optimizer, variables)
    layerwise.collect_statistics(True)
    gradient = keras.ops.convert_to_tensor(GRADIENTS[0][0])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([gradient, None], variables)
    statistics = layerwise.statistics()
    np.testing.assert_allclose(
        statistics.weight_norm, norms(values(variables)), rtol=1e-6
    )
    assert statistics.gradient_norm[1] == statistics.update_norm[1] == 0


@pytest.mark.parametrize("name", ["sgd", "sgd_momentum", "adam", "ftrl"])
def test_embedding__has_the_statistics_of_its_dense_gradient(name):
    tokens, target = np.array([[0, 2, 2, 1]]), np.ones((1, 4, 3), "float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input([4]), keras.layers.Embedding(5, 3)])
    start = np.array(model.get_weights()[0], np.float64)
    model.compile(OPTIMIZERS[name](), "mse")
    with LayerwiseOptimizer(model.optimizer) as layerwise:
        model.optimizer.build(model.trainable_variables)
        layerwise.collect_statistics(True)
        model.fit(tokens, target, verbose=0)
        statistics = layerwise.statistics()
    gradient = np.zeros_like(start)
    np.add.at(gradient, tokens[0], 2 * (start[tokens[0]] - 1) / 12)
    np.testing.assert_allclose(
        statistics.gradient_norm, [np.linalg.norm(gradient)], rtol=1e-5
    )


BETWEEN_STEPS = ("adam", "adam_amsgrad", "adamw", "adamax")
"""Their directions are in their state, so their steps need not be measured."""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_statistics_without_gradients__are_otherwise_the_same(name):
    found = []
    for measures_gradients in (True, False):
        variables, optimizer = new_variables(), OPTIMIZERS[name]()
        variables[-1].constraint = None
        optimizer.build(variables)
        layerwise = LayerwiseOptimizer(
            optimizer,
            one_group_each(variables),
            measures_gradients=measures_gradients,
        )
        step = new_step(optimizer, variables)
        layerwise.set_learning_rates(RATES)
        layerwise.collect_statistics(True)
        for gradient in GRADIENTS:
            step(gradient)
            statistics = layerwise.statistics()
        found.append((statistics, values(variables)))
    (expected, weights), (statistics, same_weights) = found
    np.testing.assert_equal(same_weights, weights)
    is_between = keras.backend.backend() == "tensorflow" and name in BETWEEN_STEPS
    for field in dataclasses.fields(statistics):
        value = getattr(statistics, field.name)
        if is_between and field.name == "gradient_norm":
            np.testing.assert_equal(value, [np.nan, np.nan])
        elif is_between and field.name == "coherence":
            np.testing.assert_equal(value, [0.0, 0.0])
        else:
            np.testing.assert_allclose(
                value, getattr(expected, field.name), 1e-6, err_msg=field.name
            )


def test_statistics_without_gradients__follow_a_state_that_is_loaded():
    variables, optimizer = new_variables(), keras.optimizers.Adam()
    optimizer.build(variables)
    layerwise = LayerwiseOptimizer(
        optimizer, one_group_each(variables), measures_gradients=False
    )
    layerwise.collect_statistics(True)
    step = new_step(optimizer, variables)
    step(GRADIENTS[0])
    first, kept = layerwise.statistics(), values(optimizer.variables)
    store = {}
    optimizer.layerwise_state.save_own_variables(store)
    step(GRADIENTS[1])
    assert (layerwise.statistics().update_norm != first.update_norm).all()
    for variable, value in zip(optimizer.variables, kept, strict=True):
        variable.assign(value)
    optimizer.layerwise_state.load_own_variables(store)
    np.testing.assert_allclose(layerwise.statistics().update_norm, first.update_norm)


def test_a_fit_with_other_statistics__measures_them():
    optimizer, variables = keras.optimizers.Adam(), new_variables()
    optimizer.build(variables)
    groups = one_group_each(variables)
    for measures_gradients in (False, True, False):
        with LayerwiseOptimizer(
            optimizer, groups, measures_gradients=measures_gradients
        ) as layerwise:
            layerwise.collect_statistics(True)
            new_step(optimizer, variables)(GRADIENTS[0])
            is_known = np.isfinite(layerwise.statistics().gradient_norm).all()
            if keras.backend.backend() == "tensorflow":
                assert is_known == measures_gradients
