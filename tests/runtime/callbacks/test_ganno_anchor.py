# SPDX-License-Identifier: Apache-2.0
"""Rates that follow an anchor between two decisions, in real fits."""

from __future__ import annotations

from contextlib import nullcontext

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

from ganno_keras import GANNO, load_policy
from ganno_keras.control.action_sets import RELATIVE_ACTIONS
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import by_timestep, with_version
from tests.support.recorded_rates import Rates
from tests.support.ways_to_fit import IN_SEVERAL_STEPS

pytestmark = pytest.mark.backend

X, Y = tiny_data(256)


def fit(ganno, optimizer="adam", model=None, epochs=4, **arguments):
    model = model or tiny_model(optimizer)
    rates = Rates()
    usual = {"batch_size": 8, "verbose": 0, "shuffle": False}
    history = model.fit(
        X, Y, epochs=epochs, callbacks=[ganno, rates], **{**usual, **arguments}
    )
    return model, history.history["loss"], np.array(rates.seen)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.Adam(),
        lambda: keras.optimizers.SGD(1e-5, momentum=0.9),
        lambda: keras.optimizers.RMSprop(10.0),
    ],
    ids=["adam", "sgd", "rmsprop"],
)
def test_anchor__trains_whatever_rate_the_optimizer_has(make):
    _, losses, _ = fit(GANNO("anchor"), make())
    assert losses[-1] < 0.8 * losses[0]


def test_anchor__warms_up_and_decays_between_decisions():
    _, _, rates = fit(GANNO("anchor", interval=1000))
    first, peak, last = rates[1], rates.max(axis=0), rates[-1]
    assert (first < 0.2 * peak).all()
    assert (last < 0.05 * peak).all()
    # The first update is of layers that nobody has measured.
    assert rates[0].max() < 1e-8
    assert len(np.unique(rates[:, 0])) > 60


def test_single_samples__are_minibatches_of_one():
    twice = (np.repeat(it[:40], 2, axis=0) for it in (X, Y))
    seen = []
    for x, y, size in ((X[:40], Y[:40], 1), (*twice, 2)):
        rates = Rates()
        callbacks = [GANNO("anchor", interval=1000), rates]
        tiny_model("adam").fit(
            x, y, batch_size=size, shuffle=False, verbose=0, callbacks=callbacks
        )
        seen.append(rates.seen[1])
    # Gradients are the same, and the last layer sees no inputs.
    by_size = 2.0 ** RelativeRateFormula().batch_size
    np.testing.assert_allclose(seen[1][-1] / seen[0][-1], by_size, rtol=1e-3)


def test_anchor__is_multiplied_by_the_actions():
    double = by_timestep(2, action_set=RELATIVE_ACTIONS, interval=10)
    _, _, plain = fit(GANNO("anchor", interval=10))
    _, _, doubled = fit(GANNO(double, guard=False, learning_rate_bounds=(0.0, 10.0)))
    np.testing.assert_allclose(doubled[10], 2.0 * plain[10], rtol=1e-5)


def test_anchor__keeps_the_bounds():
    _, _, rates = fit(GANNO("anchor", learning_rate_bounds=(0.0, 1e-3)))
    assert rates.max() == pytest.approx(1e-3)


def test_anchor__tells_which_layers_are_pretrained(caplog):
    ganno = GANNO("anchor")
    model, _, _ = fit(ganno)
    assert ganno.history.pretrained_layers == ()
    fit(ganno, model=model)
    assert ganno.history.pretrained_layers == ("hidden", "classifier")
    message = "2 of 2 layers are pretrained"
    assert message in caplog.text
    fit(ganno, model=model)
    assert caplog.text.count(message) == 1  # in a loop of fits, too


def test_pretrained_layers__move_by_a_smaller_share_of_their_weights():
    model = tiny_model("adam")
    shares = []
    for _ in range(2):
        model.compile("adam", model.loss)  # whose first steps are of the size 1
        before = [to_numpy(layer.kernel) for layer in model.layers if layer.weights]
        _, _, rates = fit(GANNO("anchor"), model=model)
        sizes = np.sqrt([np.mean(kernel**2) for kernel in before])
        shares.append(rates[1] / sizes)
    fresh, pretrained = shares
    assert (pretrained < 0.6 * fresh).all()


def rates_after_growth(layer, factor):
    """Rates of the first layer, whose weights grow at once in the second epoch."""

    def grow(epoch, logs=None):
        if epoch == 1:
            model.layers[0].kernel.assign(factor * model.layers[0].kernel)

    hidden, classifier = keras.layers.Dense(5), keras.layers.Dense(3, "softmax")
    model = tiny_model(layers=lambda: [hidden, layer(), classifier])
    growing = keras.callbacks.LambdaCallback(on_epoch_begin=grow)
    ganno = GANNO(interval=4)
    model.fit(X, Y, epochs=4, batch_size=8, verbose=0, callbacks=[ganno, growing])
    return ganno.history.learning_rates[:, 0]


@pytest.mark.parametrize(
    ("layer", "grow"),
    [(keras.layers.ReLU, False), (keras.layers.LayerNormalization, True)],
)
def test_rates__grow_with_the_weights_only_in_networks_that_bear_it(layer, grow):
    ratios = rates_after_growth(layer, 4.0) / rates_after_growth(layer, 1.0)
    assert (np.median(ratios[len(ratios) // 2 :]) > 2.5) == grow


def test_fresh_embedding__moves_as_far_as_it_has_to_and_a_trained_one_little():
    random = np.random.default_rng(0)
    x = random.integers(0, 20, (512, 6))
    y = (x[:, 0] + x[:, 1] > 20).astype("int32")
    hidden = [keras.layers.Embedding(20, 16), keras.layers.Flatten()]
    model = keras.Sequential([keras.Input([6]), *hidden, keras.layers.Dense(2)])

    def size_and_change():
        before = to_numpy(hidden[0].embeddings)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        callbacks = [GANNO("anchor")]
        model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=callbacks)
        change = np.square(to_numpy(hidden[0].embeddings) - before).mean()
        return np.square(before).mean() ** 0.5, change**0.5

    drawn, far = size_and_change()
    trained, little = size_and_change()
    assert far > 6.0 * drawn
    assert little < 0.5 * trained


def test_anchor__goes_on_in_a_resumed_training(tmp_path):
    straight, *_ = fit(GANNO("anchor"))
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise InterruptedError

    usual = {"batch_size": 8, "verbose": 0, "shuffle": False, "epochs": 4}
    with pytest.raises(InterruptedError):
        tiny_model("adam").fit(
            X, Y, callbacks=[GANNO("anchor"), backup, Stop()], **usual
        )
    resumed = tiny_model("adam")
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    resumed.fit(X, Y, callbacks=[GANNO("anchor"), backup], **usual)
    for one, other in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_second_observation__goes_on_in_a_resumed_training(tmp_path):
    usual = {"batch_size": 8, "verbose": 0, "shuffle": False}
    policy = with_version(by_timestep(2, action_set=RELATIVE_ACTIONS), 2)
    straight, first, second = (
        GANNO(policy, interval=10, learning_rate_bounds=(0.0, 10.0)) for _ in range(3)
    )
    tiny_model("adam").fit(X, Y, epochs=4, callbacks=[straight], **usual)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise InterruptedError

    with pytest.raises(InterruptedError):
        tiny_model("adam").fit(
            X, Y, epochs=4, callbacks=[first, backup, Stop()], **usual
        )
    tiny_model("adam").fit(X, Y, epochs=4, callbacks=[second, backup], **usual)
    resumed = second.history.observations
    np.testing.assert_allclose(
        straight.history.observations[-len(resumed) :], resumed, atol=1e-4
    )


def test_anchor__of_a_model_that_is_not_built_is_that_of_fresh_layers():
    ganno = GANNO("anchor")
    _, losses, _ = fit(ganno, model=tiny_model("adam", built=False))
    assert ganno.history.pretrained_layers == ()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("size", "options"),
    [
        pytest.param(256, {}, id="whole epochs"),
        pytest.param(
            64, {"steps_per_execution": 4}, id="one execution", marks=IN_SEVERAL_STEPS
        ),
        pytest.param(64, {}, id="batches"),
    ],
)
@pytest.mark.parametrize("validated", [False, True])
def test_batch_size__is_learned_also_if_an_epoch_is_one_execution(
    size, options, validated
):
    ganno = GANNO("anchor", interval=4)
    data = (X[:10], Y[:10]) if validated else None
    model = tiny_model("adam", **options)
    fit(ganno, model=model, batch_size=size, epochs=10, validation_data=data)
    length = ganno.history.timesteps[-1].measurements.length
    assert length.batch_size == size
    assert length.num_updates == 10 * 256 / size


class Evaluating(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.evaluate(X[:20], Y[:20], verbose=0)


@pytest.mark.parametrize(("order", "size"), [(1, 256), (-1, 0)], ids=["first", "last"])
def test_batch_size__is_never_that_of_somebody_elses_evaluation(order, size):
    ganno = GANNO("anchor", interval=4)
    callbacks = [ganno, Evaluating()][::order]
    tiny_model("adam").fit(
        X, Y, batch_size=256, epochs=10, callbacks=callbacks, verbose=0
    )
    assert ganno.history.timesteps[-1].measurements.length.batch_size == size


# ---------------------------------------------------------------- the optimizer's


def schedule():
    return keras.optimizers.schedules.CosineDecay(0.01, 128)


@pytest.mark.parametrize(
    ("make_rate", "options"),
    [
        (schedule, {}),
        (schedule, {"gradient_accumulation_steps": 4}),
        (lambda: 0.003, {}),
    ],
    ids=["cosine", "accumulated", "number"],
)
def test_base_optimizer__without_actions_is_the_training_without_ganno(
    make_rate, options
):
    model, *_ = fit(
        GANNO("anchor", base="optimizer", guard=False),
        keras.optimizers.Adam(make_rate(), **options),
    )
    plain = tiny_model(keras.optimizers.Adam(make_rate(), **options))
    plain.fit(X, Y, batch_size=8, epochs=4, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_base_optimizer__is_multiplied_by_the_actions():
    double = by_timestep(2, action_set=RELATIVE_ACTIONS, interval=10)
    optimizer = keras.optimizers.Adam(schedule())
    bounds = (0.0, 1.0)
    ganno = GANNO(double, base="optimizer", guard=False, learning_rate_bounds=bounds)
    _, _, rates = fit(ganno, optimizer)
    expected = 2.0 * float(to_numpy(schedule()(50)))
    assert rates[50] == pytest.approx([expected] * 2)


@pytest.mark.parametrize(
    ("bounds", "first"), [(None, 0.1), ((0.0, 0.02), 0.02)], ids=["none", "asked for"]
)
def test_base_optimizer__has_only_bounds_that_were_asked_for(bounds, first):
    ganno = GANNO(
        "ganno-anchored", base="optimizer", learning_rate_bounds=bounds, interval=20
    )
    assert ganno_bounds("ganno-anchored") < 0.1
    with pytest.warns(UserWarning, match="nearest bound") if bounds else nullcontext():
        _, _, rates = fit(ganno, keras.optimizers.SGD(0.1))
    assert rates[:19] == pytest.approx(np.full([19, 2], first))


def ganno_bounds(policy):
    """The highest rate that a policy was trained with."""
    return load_policy(policy).metadata.learning_rate_bounds.maximum


def test_schedule__is_no_longer_refused_by_policies_with_rates_of_their_own():
    _, losses, _ = fit(
        GANNO("base-schedule", interval=10), keras.optimizers.Adam(schedule())
    )
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policy": "anchor", "base": "mine"}, "base is 'mine'"),
        ({"policy": "no-op", "base": "optimizer"}, "are no factors"),
    ],
)
def test_base__is_refused_where_it_means_nothing(arguments, message):
    with pytest.raises(ValueError, match=message):
        GANNO(**arguments)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_vanished_gradients__come_back_and_end_in_no_wreck(seed):
    # Those of the first layers lie below Adam's epsilon, where steps are nearly 0.
    # They come back with some starts only. With the others the shares of the classes
    # are all that is learned, which ends at a loss of 2.21. On the way there may be a
    # spike, where many layers come back at once.
    keras.utils.set_random_seed(seed)
    inner = [keras.layers.Dense(16, "relu") for _ in range(60)]
    model = keras.Sequential([keras.Input([256]), *inner, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 256)), rng.integers(0, 10, 32)
    ganno = GANNO("anchor", guard=False)
    losses = model.fit(x, y, epochs=200, verbose=0, callbacks=[ganno]).history["loss"]
    assert losses[-1] < 2.25
