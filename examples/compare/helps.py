# SPDX-License-Identifier: Apache-2.0
"""A network that is trained from scratch at a rate for fine-tuning."""

import keras

from ganno_keras.datasets import hold_out, load_embedded_fashion_mnist

TRAIN, TEST = load_embedded_fashion_mnist()
TRAIN, VALIDATION = hold_out(TRAIN, 1000)


def build_model():
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(8, 5, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(1e-4),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=20,
    )
    return model


def data():
    return {
        "x": TRAIN.images,
        "y": TRAIN.labels,
        "epochs": 4,
        "validation_data": VALIDATION,
    }


def test_data():
    return TEST


if __name__ == "__main__":
    build_model().fit(**data())
