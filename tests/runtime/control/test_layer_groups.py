# SPDX-License-Identifier: Apache-2.0
"""Every trainable variable is in exactly one group, by layer, in the model's order."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from ganno_keras.control.layer_groups import (
    groups_by_path,
    layer_groups,
    single_group,
)

pytestmark = pytest.mark.backend


def described(model):
    return [
        (group.name.split("/")[-1], group.kind, group.depth) for group in groups(model)
    ]


def groups(model):
    """The groups, after checking that they are a partition in the model's order."""
    found = layer_groups(model)
    members = [id(v) for group in found for v in group.variables]
    assert sorted(members) == sorted(id(v) for v in model.trainable_variables)
    firsts = [members.index(id(group.variables[0])) for group in found]
    assert firsts == sorted(firsts)
    assert len({group.name for group in found}) == len(found)
    return found


def sequential(shape, *stack):
    return keras.Sequential([keras.Input(shape), *stack])


def test_kinds_and_depths__are_appendix_as():
    model = sequential(
        (8, 8, 1),
        layers.Conv2D(2, 3, name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.Flatten(),
        layers.Dense(3, name="dense"),
    )
    assert described(model) == [
        ("conv", "convolution", "first"),
        ("norm", "normalization", "intermediate"),
        ("dense", "linear", "last"),
    ]


def test_attention__is_one_group_of_four_projections():
    inputs = keras.Input((4, 6))
    outputs = layers.MultiHeadAttention(2, 3, name="mha")(inputs, inputs)
    (group,) = groups(keras.Model(inputs, outputs))
    assert (group.kind, len(group.variables)) == ("attention", 8)


def test_embedding_and_recurrent_cells__have_kinds_of_their_own():
    model = sequential(
        (5,), layers.Embedding(7, 3), layers.Bidirectional(layers.LSTM(2))
    )
    assert [group.kind for group in groups(model)] == [
        "embedding",
        "recurrent",
        "recurrent",
    ]


def test_frozen_layer__has_no_group():
    frozen = layers.Dense(3, trainable=False)
    model = sequential((2,), frozen, layers.Dense(1, name="free"))
    assert described(model)[0][0] == "free"


def test_shared_layer__is_one_group():
    shared, inputs = layers.Dense(2, name="shared"), keras.Input((2,))
    model = keras.Model(inputs, layers.Dense(1)(shared(shared(inputs))))
    assert len(groups(model)) == 2


def test_nested_models__may_repeat_names():
    inner = sequential((2,), layers.Dense(2, name="dense"))
    model = sequential((2,), inner, layers.Dense(1, name="dense"))
    assert len(groups(model)) == 2


def test_variable_of_the_model_itself__has_a_group():
    class Scaled(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)
            self.scale = self.add_weight(shape=(), name="scale")

        def call(self, inputs):
            return self.scale * self.dense(inputs)

    model = Scaled()
    model(keras.ops.ones((1, 3)))
    assert sorted(len(group.variables) for group in groups(model)) == [1, 2]


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`")
def test_scales_and_histories_of_float8__are_in_no_group():
    model = sequential((2,), layers.Dense(2), layers.Dense(1))
    model.quantize("float8")
    assert [group.num_weights for group in layer_groups(model)] == [6, 3]
    by_path = groups_by_path(model.trainable_variables)
    assert [group.num_weights for group in by_path] == [6, 3]


def test_single_group__holds_everything():
    model = sequential((2,), layers.Dense(2), layers.Dense(1))
    (group,) = single_group(layer_groups(model))
    assert len(group.variables) == 4
    assert group.num_weights == 9


def test_unbuilt_model__is_refused():
    with pytest.raises(ValueError, match="built"):
        layer_groups(keras.Sequential([layers.Dense(1)]))
