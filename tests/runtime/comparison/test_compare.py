# SPDX-License-Identifier: Apache-2.0
"""The user's own training, three times: from the same seeds, and only once each."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from ganno_keras import compare
from ganno_keras.comparison import compare as module
from ganno_keras.comparison.ways import AS_IT_IS, COSINE, GANNO_WAY
from tests.support.models import plain_layers, tiny_data

pytestmark = pytest.mark.filterwarnings("ignore:This fit has:UserWarning")

X, Y = tiny_data(160)
DATA = {
    "x": X[:96],
    "y": Y[:96],
    "batch_size": 16,
    "epochs": 2,
    "validation_data": (X[96:], Y[96:]),
}
NO_OP = {"policy": "no-op"}
USUAL = {"seeds": 1, "ganno": NO_OP, "verbose": 0}


def build_model(optimizer=None, **arguments):
    model = keras.Sequential([keras.Input((6,)), *plain_layers()])
    usual = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    model.compile(optimizer or keras.optimizers.Adam(0.01), **{**usual, **arguments})
    return model


@pytest.fixture
def trained(monkeypatch):
    """The ways and seeds that were trained."""
    cells, train = [], module.train

    def noting(case, way, seed, *rest):
        cells.append((way, seed))
        return train(case, way, seed, *rest)

    monkeypatch.setattr(module, "train", noting)
    return cells


def test_compare__trains_as_the_user_does_and_a_no_op_likewise():
    keras.utils.set_random_seed(4)
    model = build_model()
    model.fit(**DATA, verbose=0)
    own = model.evaluate(*DATA["validation_data"], verbose=0, return_dict=True)
    found = compare(build_model, DATA, **{**USUAL, "seeds": [4]})
    by_way = {outcome.way: outcome for outcome in found.outcomes}
    assert by_way[AS_IT_IS].scores == pytest.approx(own, abs=1e-7)
    assert by_way[GANNO_WAY].scores == by_way[AS_IT_IS].scores
    assert by_way[COSINE].scores != by_way[AS_IT_IS].scores
    assert {outcome.updates for outcome in found.outcomes} == {12}
    assert len(by_way[GANNO_WAY].course) == 2


def test_cosine__decays_from_the_own_rate_over_the_planned_updates():
    models = []

    def build():
        models.append(build_model(keras.optimizers.SGD(0.05)))
        return models[-1]

    compare(build, DATA, **USUAL)
    as_it_is, cosine, ganno = models[-3:]  # the first ones are only looked at
    schedule = cosine.optimizer._learning_rate
    assert isinstance(schedule, keras.optimizers.schedules.CosineDecay)
    assert float(schedule(0)) == pytest.approx(0.05)
    assert float(schedule(6)) == pytest.approx(0.025)
    assert float(schedule(12)) == 0.0
    for model in (as_it_is, ganno):
        assert float(model.optimizer.learning_rate) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("options", "done", "batches"),
    [({"gradient_accumulation_steps": 2}, 0, 12), ({}, 100, 12)],
    ids=["updates of two batches", "an optimizer with updates behind it"],
)
def test_cosine__takes_the_planned_updates_by_the_optimizers_own_clock(
    options, done, batches
):
    models = []

    def build():
        models.append(build_model(keras.optimizers.SGD(0.05, **options)))
        if done:
            models[-1].optimizer.iterations.assign(done)
        return models[-1]

    compare(build, DATA, **USUAL)
    schedule = models[-2].optimizer._learning_rate
    assert float(schedule(done)) == pytest.approx(0.05)
    assert float(schedule(done + batches // 2)) == pytest.approx(0.025)
    assert float(schedule(done + batches)) == 0.0


def test_compare__goes_on_where_it_was_killed(tmp_path, trained, monkeypatch):
    results = tmp_path / "results.jsonl"
    first = compare(build_model, DATA, results=results, **USUAL)
    whole = results.read_text()
    # Killed while it wrote the last line.
    results.write_text(whole[:-20])
    del trained[:]
    again = compare(build_model, DATA, results=results, **USUAL)
    assert trained == [(GANNO_WAY, 0)]
    assert again.scores(GANNO_WAY) == first.scores(GANNO_WAY)
    assert len(results.read_text().splitlines()) == len(whole.splitlines())
    del trained[:]
    compare(build_model, DATA, results=results, **{**USUAL, "seeds": 2})
    assert trained == [(AS_IT_IS, 1), (COSINE, 1), (GANNO_WAY, 1)]


def test_compare__refuses_the_results_of_another_one(tmp_path, trained):
    results = tmp_path / "results.jsonl"
    compare(build_model, DATA, results=results, **USUAL)
    del trained[:]
    for other, part in (
        ((lambda: build_model("sgd"), DATA), "optimizer"),
        ((build_model, {**DATA, "epochs": 3}), "fit"),
        ((build_model, {**DATA, "x": X[1:97]}), "fit"),
    ):
        with pytest.raises(ValueError, match=f"what differs: {part}"):
            compare(*other, results=results, **USUAL)
    results.write_text(json.dumps({"a": 1}) + "\n")
    with pytest.raises(ValueError, match="no results file of a comparison"):
        compare(build_model, DATA, results=results, **USUAL)
    assert trained == []


def test_compare__leaves_the_cosine_out_where_there_is_a_schedule(trained):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    compare(
        lambda: build_model(keras.optimizers.Adam(schedule)),
        DATA,
        **{**USUAL, "ganno": {"policy": "anchor"}},
    )
    assert trained == [(AS_IT_IS, 0), (GANNO_WAY, 0)]


def test_compare__leaves_the_cosine_out_where_there_are_several_rates():
    def build():
        rates = iter((0.01, 0.1))
        several = keras.optimizers.MultiOptimizer(
            lambda variable: keras.optimizers.SGD(next(rates, 0.01))
        )
        return build_model(several)

    found = compare(build, DATA, **USUAL)
    assert {outcome.way for outcome in found.outcomes} == {AS_IT_IS}
    assert found.verdict == "failed"


def test_compare__goes_on_if_ganno_cannot_be_used():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    found = compare(lambda: build_model(keras.optimizers.Adam(schedule)), DATA, **USUAL)
    assert found.verdict == "failed"
    assert "could not be trained: ValueError: " in str(found)
    assert set(found.scores(AS_IT_IS)) == {0}


def test_compare__lets_callbacks_set_rates_only_as_it_is():
    seen = []

    def data():
        plateau = keras.callbacks.ReduceLROnPlateau("loss", patience=1)
        other = keras.callbacks.LambdaCallback()
        seen.append((plateau, other))
        return {**DATA, "callbacks": [plateau, other]}

    found = compare(build_model, data, **USUAL)
    _, as_it_is, cosine, ganno = seen
    assert "ReduceLROnPlateau was at work only where" in str(found)
    assert as_it_is[0].model is not None
    assert cosine[0].model is None
    assert ganno[0].model is None
    assert ganno[1].model is not None


def test_compare__counts_the_updates_of_data_of_unknown_length():
    def data():
        batches = ((X[i : i + 16], Y[i : i + 16]) for i in list(range(0, 96, 16)) * 2)
        return {
            "x": batches,
            "steps_per_epoch": 6,
            "epochs": 2,
            "shuffle": False,
            "validation_data": (X[96:], Y[96:]),
        }

    found = compare(build_model, data, **USUAL)
    assert {outcome.planned_updates for outcome in found.outcomes} == {12}


def test_compare__passes_on_what_fails_as_it_is():
    def data():
        stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: 1 / 0)
        return {**DATA, "callbacks": [stop]}

    with pytest.raises(ZeroDivisionError):
        compare(build_model, data, **USUAL)


def test_compare__prints_a_line_for_each_training(capsys):
    compare(build_model, DATA, **{**USUAL, "verbose": 1})
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("[1/3] seed 0, as it is: accuracy 0.")
    assert last.startswith("[3/3] seed 0, GANNO: accuracy 0.")


def not_compiled():
    return keras.Sequential([keras.Input((6,)), *plain_layers()])


def without(name):
    return {key: value for key, value in DATA.items() if key != name}


def twice(value):
    return {"callbacks": lambda: {**DATA, "callbacks": [value]}}["callbacks"]


@pytest.mark.parametrize(
    ("build", "data", "options", "error", "words"),
    [
        (None, DATA, {}, TypeError, "build_model is None; a function"),
        (build_model, X, {}, TypeError, "data is of type ndarray"),
        (lambda: 3, DATA, {}, TypeError, "Received builtins.int"),
        (not_compiled, DATA, {}, ValueError, "which is not compiled"),
        (build_model, lambda: None, {}, TypeError, "data.. returned NoneType"),
        (build_model, {**DATA, "epoch": 3}, {}, ValueError, "data has 'epoch'"),
        (build_model, without("validation_data"), {}, ValueError, "nothing held out"),
        (build_model, {**DATA, "x": iter(())}, {}, ValueError, "x is an iterator"),
        (build_model, {**DATA, "callbacks": [1]}, {}, ValueError, "has callbacks"),
        (build_model, twice(3), {}, TypeError, "list of callbacks is needed"),
        (build_model, DATA, {"seeds": 0}, ValueError, "at least one seed"),
        (build_model, DATA, {"seeds": [1, 1]}, ValueError, "each only once"),
        (build_model, DATA, {"seeds": 1.5}, TypeError, "a number of seeds is needed"),
        (build_model, DATA, {"seeds": "12"}, TypeError, "a number of seeds is needed"),
        (build_model, DATA, {"metric": "auc"}, ValueError, "metric is 'auc'"),
        (build_model, DATA, {"ganno": "no-op"}, TypeError, "the arguments of GANNO"),
        (build_model, DATA, {"ganno": {"policy": "?"}}, ValueError, "no policy '?'"),
    ],
)
def test_compare__refuses_bad_input_before_anything_trains(
    trained, build, data, options, error, words
):
    with pytest.raises(error, match=words.replace("?", r"\?")):
        compare(build, data, **{**USUAL, **options})
    assert trained == []


def once(model, **what_is_new):
    """A function that gives the same model each time, but for what is new."""
    start = model.get_weights()

    def build():
        if "weights" in what_is_new:
            model.set_weights(start)
        if "optimizer" in what_is_new:
            model.compile(
                keras.optimizers.Adam(), loss=model.loss, metrics=["accuracy"]
            )
        return model

    return build


def with_shared_backbone(is_trained):
    backbone = keras.layers.Dense(5, activation="relu")
    backbone.trainable = is_trained

    def build():
        layers = [keras.Input((6,)), backbone, keras.layers.Dense(3)]
        model = keras.Sequential(layers)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"])
        return model

    return build


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (once(build_model()), "the same optimizer twice"),
        (once(build_model(), weights=True), "the same optimizer twice"),
        (once(build_model(), optimizer=True), "trainable weights twice"),
        (with_shared_backbone(is_trained=True), "dense.*' and 1 more trainable"),
    ],
)
def test_compare__refuses_models_that_go_on_from_the_one_before(build, told, trained):
    weights = [it.copy() for it in build().get_weights()]
    with pytest.raises(ValueError, match=told):
        compare(build, DATA, **USUAL)
    assert not trained
    if "backbone" not in build.__qualname__:  # that one has a new head each time
        for weight, before in zip(build().get_weights(), weights, strict=True):
            np.testing.assert_array_equal(weight, before)


@pytest.mark.parametrize(
    "build",
    [
        once(build_model(), weights=True, optimizer=True),
        with_shared_backbone(is_trained=False),
    ],
)
def test_compare__takes_models_that_share_what_none_changes(build, trained):
    compare(build, DATA, **USUAL)
    assert len(trained) == len((AS_IT_IS, COSINE, GANNO_WAY))


def test_compare__refuses_a_ganno_among_the_callbacks(trained):
    from ganno_keras import GANNO

    with pytest.raises(ValueError, match="There is a GANNO among the callbacks"):
        compare(build_model, twice(GANNO("no-op")), **USUAL)
    assert trained == []
