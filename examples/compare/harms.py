# SPDX-License-Identifier: Apache-2.0
"""Linear regression on targets in the thousands, as in a first lesson."""

import keras
import numpy as np

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(3000, 8)).astype("float32")
SLOPES = 1000.0 * RANDOM.normal(size=8)
Y = (X @ SLOPES + 5000.0 + 100.0 * RANDOM.normal(size=3000)).astype("float32")


def build_model():
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    return model


def data():
    return {
        "x": X[:2000],
        "y": Y[:2000],
        "epochs": 8,
        "validation_data": (X[2000:], Y[2000:]),
    }


if __name__ == "__main__":
    build_model().fit(**data())
