# SPDX-License-Identifier: Apache-2.0
"""The rates that each update of a fit was made with."""

from __future__ import annotations

import keras
from keras.ops import convert_to_numpy as to_numpy


class Rates(keras.callbacks.Callback):
    """Reads the rates of each update; put it after GANNO."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        table = self.model.optimizer._layer_table
        if table.built:
            self.seen.append(to_numpy(table.learning_rates))
