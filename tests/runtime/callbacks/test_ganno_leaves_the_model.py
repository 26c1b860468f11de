# SPDX-License-Identifier: Apache-2.0
"""What a fit leaves, however it ends: the user's own methods, nothing that grows."""

from __future__ import annotations

import gc
import threading
from functools import partial
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from ganno_keras import GANNO, find_learning_rate
from ganno_keras.monitoring.stateless_test_step import StatelessTestStep
from tests.support.models import assert_same_state, tiny_data, tiny_model
from tests.support.policies import SUBTRACT, always

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
]

X, Y = tiny_data()
HOOKS = [
    "on_train_begin",
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_epoch_end",
    "on_train_end",
]


class Interrupting(keras.callbacks.Callback):
    """Ctrl-C arrives while this callback is at work."""

    def __init__(self, hook):
        super().__init__()
        setattr(self, hook, self.interrupt)

    def interrupt(self, *_arguments, **_logs):
        raise KeyboardInterrupt


def mine_of(method, *arguments, **options):
    return "mine", method(*arguments, **options)


def fit(model, *callbacks, **arguments):
    defaults = {"batch_size": 16, "epochs": 2, "shuffle": False, "verbose": 0}
    return model.fit(X, Y, callbacks=list(callbacks), **{**defaults, **arguments})


@pytest.mark.parametrize("order", [1, -1], ids=["GANNO first", "GANNO last"])
@pytest.mark.parametrize("hook", HOOKS)
def test_interrupt__in_another_callback_makes_the_optimizer_plain_at_once(hook, order):
    model = tiny_model(keras.optimizers.SGD(1e-6))
    ganno = GANNO("no-op", interval=2, learning_rate_bounds=(0.0, 1.0))
    callbacks = [ganno, Interrupting(hook)][::order]
    with pytest.raises(KeyboardInterrupt):
        fit(model, *callbacks, validation_data=(X, Y))
    assert type(model.optimizer) is type(keras.optimizers.SGD())
    assert not {"fit", "evaluate", "compile", "train_on_batch"} & set(vars(model))
    before = np.array(model.get_weights()[0])
    model.train_on_batch(X, Y)
    assert 0.0 < np.abs(model.get_weights()[0] - before).max() < 1e-5


def test_methods__that_the_user_has_replaced_are_put_back():
    model = tiny_model()
    own = {
        name: partial(mine_of, getattr(model, name))
        for name in ("fit", "evaluate", "train_on_batch")
    }
    for name, method in own.items():
        setattr(model, name, method)
    mine, _ = fit(model, GANNO("no-op", interval=2))
    assert mine == "mine"
    for name, method in own.items():
        assert vars(model)[name] is method


def test_method__that_is_replaced_in_the_fit_stays():
    model, mine = tiny_model(), object()

    class Replacing(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.evaluate = mine

    fit(model, GANNO("no-op", interval=2), Replacing(), epochs=1)
    assert model.evaluate is mine


# ---------------------------------------------------------------- many fits


class CountsTraces(keras.Sequential):
    """Counts how often its training step is traced; eager steps are not counted."""

    traces = 0

    def train_step(self, *arguments):
        self.traces += 1
        return super().train_step(*arguments)


def counting_model():
    keras.utils.set_random_seed(1)
    layers = [
        keras.Input((6,)),
        keras.layers.Dense(5, name="hidden"),
        keras.layers.Dense(3, activation="softmax", name="classifier"),
    ]
    model = CountsTraces(layers)
    model.compile(keras.optimizers.SGD(0.001), "sparse_categorical_crossentropy")
    return model


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="nothing is traced")
def test_step__is_traced_again_only_where_something_has_changed():
    model, ganno = counting_model(), GANNO("no-op", interval=2)
    fit(model, ganno)
    once = model.traces
    fit(model, ganno)
    fit(model, GANNO(always(SUBTRACT), interval=3))
    assert model.traces == once
    fit(model)  # A plain step, which nobody has needed so far.
    assert model.traces > once
    both = model.traces
    fit(model, ganno)
    fit(model)
    assert model.traces == both

    model.train_function = None  # Whoever says so wants a new one.
    fit(model, ganno)
    assert model.traces > both
    reset = model.traces
    model.layers[0].trainable = False
    model.compile(keras.optimizers.SGD(0.001), "sparse_categorical_crossentropy")
    fit(model, ganno)
    assert model.traces > reset
    assert ganno.history.layers == ("classifier",)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="nothing is traced")
def test_test_step_of_the_guard__is_traced_once_in_many_fits():
    class CountsTestTraces(keras.Sequential):
        traces = 0

        def test_step(self, *arguments):
            self.traces += 1
            return super().test_step(*arguments)

    layers = [keras.Input((6,)), keras.layers.Dense(3, activation="softmax")]
    model, table = CountsTestTraces(layers), SimpleNamespace()

    def step():
        return StatelessTestStep.kept_in(table, model)

    for optimizer in ("sgd", "adam"):
        model.compile(optimizer, "sparse_categorical_crossentropy")
        model.traces = 0
        first = step()
        for _ in range(3):
            step()((X[:8], Y[:8]))
        assert step() is first
        assert model.traces == 1
    model.layers[0].trainable = False
    assert step() is not first


def test_fits__of_a_model_are_those_of_a_new_ganno_each():
    one, other = tiny_model(), tiny_model()
    ganno = GANNO(always(2), interval=2)
    for _ in range(3):
        fit(one, ganno)
        fit(other, GANNO(always(2), interval=2))
        other.train_function = None
    assert_same_state(one, other)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="graphs")
def test_fits__leave_nothing_behind_that_grows():
    model, ganno = tiny_model(), GANNO("no-op", interval=2)
    sizes = []
    for number in range(15):
        fit(model, ganno, epochs=1)
        if number in (4, 14):
            gc.collect()
            sizes.append(len(gc.get_objects()))
    assert sizes[1] - sizes[0] < 200


# ---------------------------------------------------------------- threads


def test_ganno__in_two_threads_at_once_is_refused():
    ganno, errors = GANNO("no-op", interval=2), []
    is_at_work, may_go_on = threading.Event(), threading.Event()

    class Waiting(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            is_at_work.set()
            may_go_on.wait(60)

    first, second = tiny_model(), tiny_model()
    thread = threading.Thread(target=fit, args=(first, ganno, Waiting()))
    thread.start()
    assert is_at_work.wait(60)
    try:
        fit(second, ganno)
    except ValueError as error:
        errors.append(str(error))
    may_go_on.set()
    thread.join()
    assert "Make one GANNO for each fit" in errors[0]
    assert len(ganno.history.updates) == 5
    for model in (first, second):
        assert type(model.optimizer) is type(keras.optimizers.SGD())
    fit(second, ganno)  # Now the other one is done.
    assert len(ganno.history.updates) == 5


def test_ganno__of_its_own_in_each_of_two_threads_works():
    models = [tiny_model(), tiny_model()]
    gannos = [GANNO(always(2), interval=2) for _ in models]
    threads = [
        threading.Thread(target=fit, args=pair)
        for pair in zip(models, gannos, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone, ganno = tiny_model(), GANNO(always(2), interval=2)
    fit(alone, ganno)
    for model, other in zip(models, gannos, strict=True):
        assert_same_state(model, alone)
        np.testing.assert_array_equal(
            other.history.learning_rates, ganno.history.learning_rates
        )


# ---------------------------------------------------------------- the finder


@pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="Keras cannot train stateful layers there",
)
def test_finder__leaves_the_states_of_recurrent_layers():
    x = np.random.default_rng(0).normal(size=(32, 5, 1)).astype("float32")
    y = x.sum((1, 2))[:, None]
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(8, 5, 1)),
            keras.layers.Bidirectional(keras.layers.LSTM(3, stateful=True)),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    states = [
        state
        for layer in (model.layers[0].forward_layer, model.layers[0].backward_layer)
        for state in layer.states
    ]
    everything = [*states, *model.metrics_variables, *model.weights]
    before = [np.array(keras.ops.convert_to_numpy(it)) for it in everything]
    find_learning_rate(model, (x, y), batch_size=8, num_updates=20)
    after = [np.array(keras.ops.convert_to_numpy(it)) for it in everything]
    np.testing.assert_equal(after, before)
    # On JAX, Keras itself leaves the states at zero.
    if keras.backend.backend() == "tensorflow":
        assert any(state.any() for state in before[: len(states)])
