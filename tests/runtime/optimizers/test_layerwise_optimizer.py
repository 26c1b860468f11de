# SPDX-License-Identifier: Apache-2.0
"""The face of the layerwise optimizer: statistics, refusals, attach and detach."""

from __future__ import annotations

import copy

import keras
import numpy as np
import pytest
from keras import ops

from ganno_keras.control.layer_groups import layer_groups
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from tests.support.models import tiny_data, tiny_model

pytestmark = pytest.mark.backend

X, Y = tiny_data(32)


def weights_by_group(groups):
    return [
        np.concatenate([ops.convert_to_numpy(v).ravel() for v in group.variables])
        for group in groups
    ]


def gradients_of(variables, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(size=v.shape).astype("float32") for v in variables]


def one_measured_update(optimizer, learning_rates=(0.01, 0.03)):
    """Weights before and after, the gradients, and the statistics."""
    model = tiny_model(optimizer)
    variables, groups = model.trainable_variables, layer_groups(model)
    optimizer.build(variables)
    gradients = gradients_of(variables)
    with LayerwiseOptimizer(optimizer, groups) as layerwise:
        layerwise.set_learning_rates(learning_rates)
        layerwise.collect_statistics(True)
        before = weights_by_group(groups)
        optimizer.apply([ops.convert_to_tensor(g) for g in gradients], variables)
        after = weights_by_group(groups)
        statistics = layerwise.statistics()
    by_group = [gradients[:2], gradients[2:]]
    flat = [np.concatenate([g.ravel() for g in group]) for group in by_group]
    return before, after, flat, statistics


def test_statistics__of_weights_and_gradients_are_numpys():
    _, after, gradients, statistics = one_measured_update(keras.optimizers.Adam(0.01))
    for group in range(2):
        weights = after[group].astype(np.float64)
        expected = {
            "weight_mean": weights.mean(),
            "weight_variance": weights.var(),
            "weight_norm": np.linalg.norm(weights),
            "gradient_norm": np.linalg.norm(gradients[group]),
        }
        for name, value in expected.items():
            actual = getattr(statistics, name)[group]
            np.testing.assert_allclose(actual, value, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.Adam(0.01),
        lambda: keras.optimizers.SGD(0.01),
        lambda: keras.optimizers.SGD(0.01, momentum=0.9),
        lambda: keras.optimizers.RMSprop(0.01),
        lambda: keras.optimizers.Lion(0.01),
    ],
    ids=["Adam", "SGD", "momentum", "RMSprop", "Lion"],
)
def test_update_norm__is_the_change_of_the_weights_by_the_rate(make):
    rates = (0.01, 0.03)
    before, after, _, statistics = one_measured_update(make(), rates)
    for group, rate in enumerate(rates):
        change = (before[group] - after[group]).astype(np.float64) / rate
        norm = np.linalg.norm(change)
        np.testing.assert_allclose(statistics.update_norm[group], norm, rtol=1e-4)
        ratio = np.linalg.norm(after[group]) / norm
        np.testing.assert_allclose(statistics.trust_ratio[group], ratio, rtol=1e-4)


def test_update_norm__of_adam_is_known_at_a_rate_of_0():
    _, _, _, at_zero = one_measured_update(keras.optimizers.Adam(0.01), (0.0, 0.0))
    _, _, _, usual = one_measured_update(keras.optimizers.Adam(0.01))
    np.testing.assert_allclose(at_zero.update_norm, usual.update_norm, rtol=1e-6)


def test_detach__gives_back_the_very_same_plain_optimizer():
    model = tiny_model(keras.optimizers.Adam(0.02))
    optimizer = model.optimizer
    plain = type(optimizer)
    layerwise = LayerwiseOptimizer(optimizer, layer_groups(model))
    assert isinstance(optimizer, plain)
    layerwise.detach()
    layerwise.detach()
    assert type(optimizer) is plain
    assert model.optimizer is optimizer
    assert float(optimizer.learning_rate) == np.float32(0.02)


def test_copy_of_an_attached_optimizer__is_plain():
    model = tiny_model(keras.optimizers.Adam(0.02))
    plain = type(model.optimizer)
    with LayerwiseOptimizer(model.optimizer, layer_groups(model)):
        assert type(copy.deepcopy(model.optimizer)) is plain


@pytest.mark.parametrize("rates", [[-0.1, 0.1], [np.nan, 0.1], [np.inf, 0.1], [0.1]])
def test_impossible_rates__are_refused_and_change_nothing(rates):
    model = tiny_model(keras.optimizers.Adam(0.02))
    with LayerwiseOptimizer(model.optimizer, layer_groups(model)) as layerwise:
        with pytest.raises(ValueError, match="learning rates"):
            layerwise.set_learning_rates(rates)
        kept = ops.convert_to_numpy(layerwise.learning_rates)
        np.testing.assert_array_equal(kept, np.full(2, 0.02, "float32"))


def new_multi_optimizer():
    return keras.optimizers.MultiOptimizer(lambda _: keras.optimizers.Adam())


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: "adam", TypeError, "Pass a Keras optimizer"),
        pytest.param(
            new_multi_optimizer,
            ValueError,
            "MultiOptimizer",
            marks=pytest.mark.skipif(
                not hasattr(keras.optimizers, "MultiOptimizer"),
                reason="this Keras has none",
            ),
        ),
    ],
    ids=["text", "MultiOptimizer"],
)
def test_unsuitable_optimizer__is_refused(make, error, says):
    with pytest.raises(error, match=says):
        LayerwiseOptimizer(make())


def test_schedule__is_replaced_and_goes_on_after_detaching():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model = tiny_model(keras.optimizers.Adam(schedule))
    with LayerwiseOptimizer(
        model.optimizer, layer_groups(model), model=model
    ) as layerwise:
        first = ops.convert_to_numpy(layerwise.learning_rates)
        np.testing.assert_allclose(first, np.full(2, 0.1), rtol=1e-6)
        layerwise.set_learning_rates([0.0, 0.01])
        before = model.layers[0].get_weights()
        model.fit(*tiny_data(32), verbose=0)
        for one, other in zip(before, model.layers[0].get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    rate = float(ops.convert_to_numpy(model.optimizer.learning_rate))
    assert rate == pytest.approx(float(ops.convert_to_numpy(schedule(1))))


def test_learning_rate__that_somebody_keeps_hold_of_follows_the_mean():
    model = tiny_model(keras.optimizers.Adam(0.02))
    groups = layer_groups(model)
    weights = np.array([group.num_weights for group in groups], np.float64)
    with LayerwiseOptimizer(model.optimizer, groups, model=model) as layerwise:
        layerwise.set_learning_rates([0.1, 0.2])
        shown = model.optimizer.learning_rate
        for rates in ([0.1, 0.2], [0.3, 0.0]):
            layerwise.set_learning_rates(rates)
            mean = np.average(rates, weights=weights)
            assert float(ops.convert_to_numpy(shown)) == pytest.approx(mean)


def test_second_attachment__is_refused_and_the_first_goes_on():
    model = tiny_model(keras.optimizers.Adam(0.02))
    groups = layer_groups(model)
    with LayerwiseOptimizer(model.optimizer, groups) as layerwise:
        with pytest.raises(ValueError, match="attached"):
            LayerwiseOptimizer(model.optimizer, groups)
        layerwise.set_learning_rates([0.1, 0.2])


def test_groups_that_share_or_miss_a_variable__are_refused():
    model = tiny_model(keras.optimizers.Adam(0.02))
    model.optimizer.build(model.trainable_variables)
    groups, plain = layer_groups(model), type(model.optimizer)
    for wrong in ([*groups, groups[0]], groups[:1]):
        with pytest.raises(ValueError, match="exactly one group"):
            LayerwiseOptimizer(model.optimizer, wrong)
    assert type(model.optimizer) is plain
