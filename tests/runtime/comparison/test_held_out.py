# SPDX-License-Identifier: Apache-2.0
"""Trainings are judged on held-out samples, by a score whose direction is known."""

from __future__ import annotations

import numpy as np
import pytest

from ganno_keras.comparison.held_out import choose_measure, held_out_samples

X, Y = np.arange(10.0)[:, None], np.arange(10)


@pytest.mark.parametrize(
    ("scores", "name", "is_higher_better"),
    [
        (["loss", "accuracy"], "accuracy", True),
        (["loss", "mae"], "mae", False),
        (["loss", "top_k_categorical_accuracy"], "top_k_categorical_accuracy", True),
        (["loss", "mean_squared_error", "auc"], "mean_squared_error", False),
        (["loss"], "loss", False),
        (["loss", "something"], "loss", False),
    ],
)
def test_choose_measure__takes_the_first_metric_it_knows(
    scores, name, is_higher_better
):
    assert choose_measure(dict.fromkeys(scores, 0.5), None, None) == (
        name,
        is_higher_better,
    )


def test_choose_measure__refuses_what_the_model_does_not_have():
    with pytest.raises(ValueError, match=r"metric is 'auc', and the model has 'loss'"):
        choose_measure({"loss": 0.1}, "auc", None)


def test_choose_measure__asks_where_a_name_says_nothing():
    scores = {"loss": 0.1, "charm": 0.5}
    with pytest.raises(ValueError, match="higher_is_better=True or False"):
        choose_measure(scores, "charm", None)
    assert choose_measure(scores, "charm", True) == ("charm", True)


def test_held_out__is_the_last_part_where_fit_splits():
    found = held_out_samples({"x": X, "y": Y, "validation_split": 0.2}, None)
    assert found.name == "validation data"
    np.testing.assert_array_equal(found.arguments["x"], X[8:])
    np.testing.assert_array_equal(found.arguments["y"], Y[8:])


def test_held_out__prefers_the_test_data():
    arguments = {"validation_data": (X, Y), "batch_size": 7}
    found = held_out_samples(arguments, (X[:3], Y[:3]))
    assert found.name == "test data"
    assert len(found.arguments["x"]) == 3
    assert found.arguments["batch_size"] == 7


def test_held_out__refuses_to_judge_by_the_training():
    with pytest.raises(ValueError, match=r"nothing held out.*test_data=") as error:
        held_out_samples({"x": X, "y": Y}, None)
    assert "validation_data" in str(error.value)
