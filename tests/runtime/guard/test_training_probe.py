# SPDX-License-Identifier: Apache-2.0
"""Two states of a model are compared on the very same samples."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.guard.batch_keeper import BatchKeeper, trains_as_keras
from ganno_keras.guard.training_probe import (
    Comparison,
    SpreadSamples,
    TrainingProbe,
)
from ganno_keras.guard.weights_copy import WeightsCopy, layer_states
from ganno_keras.monitoring.validation_sample import ValidationSample
from tests.support.models import tiny_data, tiny_model

pytestmark = pytest.mark.backend

X, Y = tiny_data()
LOSSES = st.lists(st.floats(0.0, 1e6), min_size=1, max_size=20).map(np.array)


# ---------------------------------------------------------------- the verdict


@given(LOSSES, st.floats(1.3, 10.0))
def test_comparison__is_worse_where_all_losses_are_a_multiple(losses, factor):
    kept = np.full_like(losses, 1.0 + losses[0])
    assert Comparison(factor * kept, kept).is_worse
    assert not Comparison(kept, factor * kept).is_worse


@given(LOSSES, st.randoms())
def test_comparison__never_tells_two_orders_of_the_same_losses_apart(losses, random):
    shuffled = losses.tolist()
    random.shuffle(shuffled)
    assert not Comparison(np.array(shuffled), losses).is_worse


@given(LOSSES, LOSSES)
def test_comparison__is_worse_in_one_direction_at_most(one, other):
    size = min(len(one), len(other))
    one, other = one[:size], other[:size]
    assert not (Comparison(one, other).is_worse and Comparison(other, one).is_worse)


@given(LOSSES, LOSSES, st.floats(1e-3, 1e3))
def test_comparison__does_not_depend_on_the_unit(one, other, unit):
    size = min(len(one), len(other))
    one, other = one[:size].round(3), other[:size].round(3)
    scaled = Comparison(unit * one, unit * other)
    differences = np.abs(one - other)
    if differences.max() > 1e-3 * (1 + np.abs(one).max()):  # no rounding decides
        lower, upper = (
            Comparison(one * (1 - 1e-9), other),
            Comparison(one * (1 + 1e-9), other),
        )
        if lower.is_worse == upper.is_worse:
            assert scaled.is_worse == lower.is_worse


def test_comparison__one_outlier_proves_nothing():
    kept = np.ones(16)
    now = kept.copy()
    now[3] = 1e6
    assert not Comparison(now, kept).is_worse


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_comparison__a_loss_that_is_no_number_is_worse_than_numbers_alone(value):
    numbers, broken = np.ones(4), np.array([1.0, value, 1.0, 1.0])
    assert Comparison(broken, numbers).is_worse
    assert not Comparison(numbers, broken).is_worse
    assert not Comparison(broken, broken).is_worse


# ---------------------------------------------------------------- which samples


@given(st.integers(2, 20), st.integers(0, 300))
def test_spread_samples__are_few_and_about_even(most, number):
    spread = SpreadSamples(most)
    for index in range(number):
        if spread.is_due:
            spread.add(index)
        spread.advance()
    found = spread.samples
    assert len(found) == min(number, most) or most // 2 <= len(found) <= most
    assert found == sorted(found)
    assert found[:1] == [0][:number]
    assert len(set(np.diff(found))) <= 1


def fitted(model, *callbacks, **options):
    defaults = {"batch_size": 16, "epochs": 1, "verbose": 0, "shuffle": False}
    return model.fit(X, Y, callbacks=list(callbacks), **{**defaults, **options})


@pytest.mark.parametrize("options", [{}, {"run_eagerly": True}], ids=["graph", "eager"])
@pytest.mark.parametrize(("size", "number"), [(16, 4), (1, 16), (96, 1)])
def test_keeper__has_the_last_batches_as_the_model_got_them(size, number, options):
    model = tiny_model(**options)
    keeper = BatchKeeper(model)
    fitted(model, batch_size=size, sample_weight=np.arange(96.0))
    assert len(keeper.batches) == number
    x, y, weights = keeper.batches[-1]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(x), X[96 - size : 96])
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(y).ravel(), Y[96 - size : 96]
    )
    assert keras.ops.convert_to_numpy(weights).tolist() == [*range(96 - size, 96)]


AT_ONCE = [1] if keras.backend.backend() == "torch" else [1, 4]


@pytest.mark.parametrize("steps", AT_ONCE)
def test_keeper__changes_no_bit_and_no_log(steps):
    def run(keeps):
        model = tiny_model(keras.optimizers.Adam(0.01), steps_per_execution=steps)
        keeper = BatchKeeper(model) if keeps else None
        logs = fitted(model, epochs=2).history
        if keeper is not None:
            assert keeper.batches
            keeper.release()
        return logs, model.get_weights(), sorted(vars(model))

    (logs, weights, names), (plain_logs, plain_weights, plain_names) = map(
        run, (True, False)
    )
    assert logs == plain_logs
    assert names == plain_names
    for one, other in zip(weights, plain_weights, strict=True):
        np.testing.assert_array_equal(one, other)


class Own(keras.Sequential):
    def train_step(self, *args):
        return super().train_step(*args)


class OwnTest(keras.Sequential):
    def test_step(self, *args):
        return super().test_step(*args)


def test_keeper__knows_steps_that_are_not_keras_own():
    layers = [keras.Input((4,)), keras.layers.Dense(1)]
    assert trains_as_keras(keras.Sequential(layers))
    assert not trains_as_keras(Own(layers))
    assert not trains_as_keras(OwnTest(layers))


# ---------------------------------------------------------------- the measurement


def probed(validation=None, **options):
    model = tiny_model(keras.optimizers.Adam(0.05), **options)
    probe = TrainingProbe(model, validation)
    fitted(model)
    probe.look()
    return model, probe


def test_probe__measures_both_states_as_evaluate_does_and_leaves_the_present_one():
    model, probe = probed()
    copy = WeightsCopy(model.weights)
    copy.take()
    for variable in model.trainable_variables:
        variable.assign(-50.0 * variable)
    present = model.get_weights()
    last, past = probe.compare(copy)
    assert last.now.shape == (8,)  # 64 samples, eight at a time
    expected = model.evaluate(X[-64:], Y[-64:], verbose=0, return_dict=True)["loss"]
    np.testing.assert_allclose(last.now.mean(), expected, rtol=1e-4)
    np.testing.assert_array_equal(model.get_weights()[0], present[0])
    copy.put_back()
    expected = model.evaluate(X[-64:], Y[-64:], verbose=0, return_dict=True)["loss"]
    np.testing.assert_allclose(last.kept.mean(), expected, rtol=1e-4)
    assert past.now.shape == (1,)
    assert last.is_worse


def test_probe__keeps_parts_of_the_past_and_not_whole_batches():
    _, probe = probed()
    (part,) = probe._past.samples
    assert all(leaf.base is None for leaf in part if leaf is not None)


def test_probe__measures_the_held_out_sample_too():
    model, probe = probed(ValidationSample((X[:40], Y[:40])))
    copy = WeightsCopy(model.weights)
    copy.take()
    *_, held_out = probe.compare(copy)
    np.testing.assert_array_equal(held_out.now, held_out.kept)
    assert not held_out.is_worse


def test_probe__has_nothing_to_say_of_a_step_that_is_not_keras_own():
    model = Own([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    probe = TrainingProbe(model, None)
    assert "train_step" not in vars(model)
    probe.look()
    assert probe.compare(WeightsCopy(model.weights)) == ()


def test_copy__leaves_settings_as_they_are_unless_they_are_broken():
    weight, setting = (keras.Variable(0.0, trainable=False) for _ in range(2))
    copy = WeightsCopy([weight, setting], [setting])
    copy.take()
    for value, expected in ((2.0, 2.0), (np.nan, 0.0)):
        weight.assign(value)
        setting.assign(value)
        copy.put_back()
        assert (float(weight), float(setting)) == (0.0, expected)


def test_layer_states__are_those_that_keras_lists_nowhere():
    layers = [
        keras.Input((3, 2), batch_size=4),
        keras.layers.LSTM(5, stateful=True),
        keras.layers.Dense(1),
    ]
    states = layer_states(keras.Sequential(layers))
    assert [tuple(state.shape) for state in states] == [(4, 5), (4, 5)]
    assert layer_states(tiny_model()) == []
