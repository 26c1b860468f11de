# SPDX-License-Identifier: Apache-2.0
"""GANNO with the options of `compile`: by itself it changes nothing."""

from __future__ import annotations

import keras
import pytest

from tests.support.ways_to_fit import (
    EPOCHS,
    Table,
    assert_no_op_changes_nothing,
    assert_rates_take_effect,
    classifier,
)

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
    # Of PyTorch's own compiler.
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning"),
]

TABLE = Table()


@TABLE.row(
    "steps_per_execution", acts=True, updates=(2, 4, 6), backends=("tensorflow", "jax")
)
def _():
    return classifier(steps_per_execution=2), {}


@TABLE.row("jit_compile", acts=True, is_slow=True)
def _():
    return classifier(jit_compile=True), {}


@TABLE.row("run_eagerly", acts=True)
def _():
    return classifier(run_eagerly=True), {}


@TABLE.row("gradient accumulation", acts=True)
def _():
    optimizer = keras.optimizers.Adam(0.001, gradient_accumulation_steps=2)
    return classifier(optimizer=optimizer), {"epochs": 2 * EPOCHS}


@TABLE.row("global_clipnorm, EMA")
def _():
    optimizer = keras.optimizers.Adam(0.001, global_clipnorm=0.1, use_ema=True)
    return classifier(optimizer=optimizer), {}


@TABLE.row("loss_weights, weighted_metrics")
def _():
    return classifier(loss_weights=[0.5], weighted_metrics=["accuracy"]), {}


@TABLE.row("mixed_float16", acts=True, dtype_policy="mixed_float16")
def _():
    return classifier(), {}


@TABLE.row("mixed_bfloat16", dtype_policy="mixed_bfloat16")
def _():
    return classifier(), {}


@TABLE.each()
def test_no_op__equals_a_plain_fit_bit_by_bit(way):
    assert_no_op_changes_nothing(way)


@TABLE.each_acting()
def test_learning_rates__take_effect(way):
    assert_rates_take_effect(way)
