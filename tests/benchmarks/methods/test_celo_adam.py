# SPDX-License-Identifier: Apache-2.0
"""The learned schedule is the published one, and its file is read without Flax."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.methods.learned.celo_adam import (
    CELO_ADAM,
    WEIGHTS_VARIABLE,
    CeloSchedule,
)
from benchmarks.methods.learned.flax_msgpack import read_arrays
from tests.support.celo_weights import celo_file, celo_tree

LOSSES = (2.3, 2.2, 2.25, 90.0, 1.9, 1.5, 1.45, 1.6, 1.2, 0.9)
UPDATES = 40


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference_rates(tree, losses, num_updates):
    """The published equations, one after the other."""
    layers, state = tree["rnn_params"], tree["lstm_init_state"]
    hidden, cell = state["hidden"][0], state["cell"][0]
    decays = np.exp(-1 / np.logspace(1, np.log10(num_updates), 10))
    means, least = np.zeros(10), np.full(10, 999999999999.0)
    marks = np.array([0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1])
    for step, loss in enumerate(losses):
        largest = loss if step == 0 else (means / (1 - decays ** (step + 1))).max()
        loss = min(abs(largest) * 2, loss)
        means = means * decays + loss * (1 - decays)
        corrected = means / (1 - decays ** (step + 1))
        least = np.minimum(least, corrected)
        span = np.maximum(1e-8, corrected[1:] - least[:-1])
        seen = np.clip((corrected[:-1] - least[:-1]) / span - 1, -1, 1)
        seen = seen * 0 if step + 1 <= 2 else seen
        inputs = np.concatenate([np.tanh((step / num_updates - marks) * 10), seen])

        def dense(name, x):
            return x @ layers[name]["w"] + layers[name]["b"]

        mixed = dense("linear_2", inputs) + np.maximum(dense("linear_1", inputs), 0)
        gates = dense("rnn/linear", np.concatenate([mixed, hidden]))
        take, candidate, forget, give = np.split(gates, 4)
        cell = sigmoid(forget + 1) * cell + sigmoid(take) * np.tanh(candidate)
        hidden = sigmoid(give) * np.tanh(cell)
        yield 0.001 * 0.1 * np.exp(dense("step_size", hidden)[0])


def test_schedule__follows_the_published_equations():
    tree = celo_tree(seed=1, scale=0.5)
    schedule = CeloSchedule(tree, UPDATES)
    rates = [float(schedule(np.float32(loss))) for loss in LOSSES]
    np.testing.assert_allclose(
        rates, list(reference_rates(tree, LOSSES, UPDATES)), rtol=0.02
    )


def test_file__gives_the_arrays_that_were_written():
    tree, read = celo_tree(seed=2), read_arrays(celo_file(seed=2))
    np.testing.assert_array_equal(
        read["rnn_params"]["rnn/linear"]["w"], tree["rnn_params"]["rnn/linear"]["w"]
    )


@pytest.mark.parametrize(
    "content", [b"", b"\xc1", celo_file(0)[:-10], b"\x93\x01", b"\x05", b"\xc7\x00\x07"]
)
def test_other_file__is_refused(content):
    with pytest.raises(ValueError, match=r"file|Byte|Extension"):
        read_arrays(content)


def test_file_that_is_not_there__is_a_reason(monkeypatch, tmp_path):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "nothing"))
    assert "is no file" in CELO_ADAM.reason_unavailable(None)
    monkeypatch.delenv(WEIGHTS_VARIABLE)
    assert f"{WEIGHTS_VARIABLE} is not set" in CELO_ADAM.reason_unavailable(None)
