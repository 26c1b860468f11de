# SPDX-License-Identifier: Apache-2.0
"""A small classifier of a table, with Adam and a schedule that suits it."""

import keras
import numpy as np

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(4000, 10)).astype("float32")
LABELS = (np.sin(2.0 * X[:, 0]) + X[:, 1] * X[:, 2] + RANDOM.normal(size=4000)) > 0.0
EPOCHS, BATCH_SIZE, NUM_TRAIN = 8, 32, 2000


def build_model():
    model = keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    num_updates = EPOCHS * -(-NUM_TRAIN // BATCH_SIZE)
    schedule = keras.optimizers.schedules.CosineDecay(0.006, num_updates)
    model.compile(
        keras.optimizers.Adam(schedule), "binary_crossentropy", metrics=["accuracy"]
    )
    return model


def data():
    return {
        "x": X[:NUM_TRAIN],
        "y": LABELS[:NUM_TRAIN],
        "batch_size": BATCH_SIZE,
        "epochs": EPOCHS,
        "validation_data": (X[NUM_TRAIN:], LABELS[NUM_TRAIN:]),
    }


if __name__ == "__main__":
    build_model().fit(**data())
