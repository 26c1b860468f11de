# SPDX-License-Identifier: Apache-2.0
"""Runs Celo-Adam, a public pretrained schedule of one learning rate for Adam.

Before every update, an LSTM reads the progress of the training and the course of the
loss. There is no rate to set, but the length of the training must be known. The weights
are the file `algoperf/submissions/celo_adam/theta.state` of
https://github.com/amoudgl/celo (MIT licence). The environment variable GANNO_CELO_ADAM
names the file; without it the method is skipped.

Paper: Moudgil et al., "Celo: Training Versatile Learned Optimizers on a Compute Diet"
(arXiv 2501.12670). It replaces VeLO where that is not available.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from keras import ops

from ...records.cells import Cell
from ..method import Method, TrainingContext, TrainingParts
from .flax_msgpack import read_arrays
from .loss_aware_model import LossAwareModel

WEIGHTS_VARIABLE: Final = "GANNO_CELO_ADAM"

PROGRESS_MARKS: Final = (0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1)
NUM_LOSS_MEANS: Final = 10
LARGEST_LOSS: Final = 999999999999.0
RATE_UNIT: Final = 1e-4
EPSILON: Final = 1e-5  # the root of their 1e-10; their further 1e-8 vanishes beside it
GRADIENT_CLIP: Final = 1000.0

Tensor = Any


class CeloSchedule:
    """The learned schedule: from a loss to the learning rate of the same update.

    Args:
        weights: The tree of the published file.
        num_updates: The length of the training.
    """

    def __init__(self, weights: Mapping[str, Any], num_updates: int) -> None:
        layers, start = weights["rnn_params"], weights["lstm_init_state"]
        self._mix = [_dense(layers["linear_1"]), _dense(layers["linear_2"])]
        self._gates = _dense(layers["rnn/linear"])
        self._step_size = _dense(layers["step_size"])
        self._num_updates = float(num_updates)
        half_lives = np.logspace(1, math.log10(num_updates), NUM_LOSS_MEANS)
        self._decays = np.exp(-1.0 / half_lives).astype(np.float32)
        self._update = keras.Variable(0.0, trainable=False)
        self._means = _state(np.zeros(NUM_LOSS_MEANS))
        self._minima = _state(np.full(NUM_LOSS_MEANS, LARGEST_LOSS))
        self._hidden = _state(start["hidden"])
        self._cell = _state(start["cell"])

    def __call__(self, loss: Tensor) -> Tensor:
        """Returns the rate of an update, and stores its loss."""
        progress = self._update / self._num_updates
        seen = ops.tanh((progress - np.array(PROGRESS_MARKS, np.float32)) * 10.0)
        features = ops.concatenate([seen, self._loss_features(loss)])[None]
        mixing, passing = self._mix
        output = self._recur(passing(features) + ops.relu(mixing(features)))
        self._update.assign_add(1.0)
        return RATE_UNIT * ops.exp(self._step_size(output)[0, 0])

    def _loss_features(self, loss: Tensor) -> Tensor:
        """Places each running mean of the loss between its minimum and the next mean.

        The loss is clipped at twice the largest running mean.
        """
        before = self._means / (1.0 - self._decays ** (self._update + 1.0))
        largest = ops.where(self._update == 0.0, loss, ops.max(before))
        loss = ops.minimum(ops.abs(largest) * 2.0, loss)
        self._means.assign(self._means * self._decays + loss * (1.0 - self._decays))
        means = self._means / (1.0 - self._decays ** (self._update + 1.0))
        self._minima.assign(ops.minimum(self._minima, means))
        least = self._minima[:-1]
        span = ops.maximum(1e-8, means[1:] - least)
        features = ops.clip((means[:-1] - least) / span - 1.0, -1.0, 1.0)
        return ops.where(self._update + 1.0 <= 2.0, 0.0, features)

    def _recur(self, inputs: Tensor) -> Tensor:
        """Makes one step of Haiku's LSTM, whose forget gate has a bias of 1."""
        gates = self._gates(ops.concatenate([inputs, self._hidden], axis=-1))
        take, candidate, forget, give = ops.split(gates, 4, axis=-1)
        kept = ops.sigmoid(forget + 1.0) * self._cell
        self._cell.assign(kept + ops.sigmoid(take) * ops.tanh(candidate))
        self._hidden.assign(ops.sigmoid(give) * ops.tanh(self._cell.value))
        return self._hidden.value


def _dense(layer: Mapping[str, np.ndarray]) -> Any:
    return lambda inputs: ops.matmul(inputs, layer["w"]) + layer["b"]


def _state(value: np.ndarray) -> keras.Variable:
    return keras.Variable(np.asarray(value, np.float32), trainable=False)


class CeloModel(LossAwareModel):
    """A model that takes the learning rate of each update from the schedule."""

    schedule: CeloSchedule

    def see_loss(self, loss: Tensor) -> None:
        """Sets the learning rate of the next update."""
        self.optimizer.learning_rate.assign(self.schedule(loss))


def _make(context: TrainingContext) -> TrainingParts:
    schedule = CeloSchedule(_weights(), context.num_updates)

    def adapt(model: keras.Model) -> keras.Model:
        celo_model = CeloModel(model.inputs, model.outputs)
        celo_model.schedule = schedule
        return celo_model

    optimizer = keras.optimizers.Adam(
        RATE_UNIT,
        epsilon=EPSILON,
        weight_decay=context.cell.weight_decay,
        clipvalue=GRADIENT_CLIP,
    )
    return TrainingParts(optimizer, adapt=adapt)


def _path() -> Path | None:
    name = os.environ.get(WEIGHTS_VARIABLE)
    return Path(name) if name else None


def _weights() -> dict[str, Any]:
    path = _path()
    if path is None:
        raise ValueError(_reason_unavailable())
    return read_arrays(path.read_bytes())


def _reason_unavailable(_: Cell | None = None) -> str:
    path = _path()
    if path is not None and path.is_file():
        return ""
    given = f"{path} is no file" if path else f"{WEIGHTS_VARIABLE} is not set"
    return (
        f"The weights of Celo-Adam are not there: {given}. Set {WEIGHTS_VARIABLE} to "
        "the file theta.state of github.com/amoudgl/celo."
    )


def _identity() -> dict[str, Any]:
    path = _path()
    if path is None or not path.is_file():
        return {}
    return {"weights": hashlib.sha256(path.read_bytes()).hexdigest()}


CELO_ADAM: Final = Method(
    _make,
    "nothing but the length",
    reason_unavailable=_reason_unavailable,
    identity=_identity,
)
