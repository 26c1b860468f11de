# SPDX-License-Identifier: Apache-2.0
"""Trains a small network from five initial learning rates, with and without GANNO.

    python -m ganno_keras.demo

The images are a subset of Fashion-MNIST that comes with the package. GANNO observes
the loss on a held-out part of the training images. The test images are used once, for
the final figures.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import numpy as np

from ganno_keras.callbacks.ganno import GANNO
from ganno_keras.control.history import GannoHistory
from ganno_keras.datasets import LabelledImages, hold_out, load_embedded_fashion_mnist
from ganno_keras.plots.history_plot import plot_history

INITIAL_LEARNING_RATES: Final = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)
WEIGHT_DECAY: Final = 0.1
BATCH_SIZE: Final = 32
NUM_VALIDATION_IMAGES: Final = 1000
EPOCHS: Final = 12
PICTURE: Final = Path("ganno_demo.png")


class Data(NamedTuple):
    """The images in three parts."""

    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages

    def num_updates(self, epochs: int) -> int:
        """Returns the number of updates in so many epochs."""
        return epochs * -(-len(self.train.labels) // BATCH_SIZE)


def load_data() -> Data:
    """Loads the images that come with the package and holds out a validation set."""
    train, test = load_embedded_fashion_mnist()
    return Data(*hold_out(train, NUM_VALIDATION_IMAGES), test)


class Result(NamedTuple):
    """The result of one training."""

    accuracy: float  # on the test images
    history: GannoHistory | None = None  # of GANNO


def constant(data: Data, learning_rate: float, epochs: int) -> Result:
    """Trains at a constant learning rate."""
    return Result(_train(data, learning_rate, epochs, []))


def cosine_decay(data: Data, learning_rate: float, epochs: int) -> Result:
    """Trains while the learning rate falls to 0 along half a cosine."""
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate, data.num_updates(epochs)
    )
    return Result(_train(data, schedule, epochs, []))


def ganno(data: Data, learning_rate: float, epochs: int) -> Result:
    """Trains while GANNO sets the learning rate of both layers."""
    callback = GANNO(validation_data=data.validation)
    accuracy = _train(data, learning_rate, epochs, [callback])
    return Result(accuracy, callback.history)


GANNO_NAME: Final = "GANNO()"
METHODS: Final[Mapping[str, Callable[[Data, float, int], Result]]] = {
    "constant": constant,
    "cosine decay": cosine_decay,
    GANNO_NAME: ganno,
}


def _train(
    data: Data,
    learning_rate: Any,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
) -> float:
    """Trains a convolution and a dense layer, and returns the test accuracy."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(data.train.images.shape[1:]),
            keras.layers.Conv2D(8, 5, strides=2, activation="relu", name="convolution"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax", name="dense"),
        ]
    )
    model.compile(
        keras.optimizers.AdamW(learning_rate, weight_decay=WEIGHT_DECAY),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        # Several updates in one call halve the time of so small a network.
        steps_per_execution=20,
    )
    model.fit(
        data.train.images,
        data.train.labels,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        callbacks=callbacks,
        verbose=0,
    )
    return float(model.evaluate(*data.test, verbose=0, return_dict=True)["accuracy"])


def run(data: Data, epochs: int) -> dict[tuple[str, float], Result]:
    """Trains with every method from every initial rate, and prints the progress."""
    pairs = [(name, rate) for name in METHODS for rate in INITIAL_LEARNING_RATES]
    results = {}
    for number, (name, rate) in enumerate(pairs, start=1):
        start = time.monotonic()
        results[name, rate] = METHODS[name](data, rate, epochs)
        _say(
            f"[{number:2}/{len(pairs)}] {name:12} from {rate:<6g} "
            f"{100 * results[name, rate].accuracy:5.1f} % "
            f"({time.monotonic() - start:.0f} s)"
        )
    return results


def as_table(accuracies: Mapping[str, Sequence[float]]) -> str:
    """Formats accuracies as a table: methods by initial rates, mean and spread.

    Args:
        accuracies: One accuracy for each initial learning rate, by method.

    Example:

        >>> print(as_table({"constant": [0.1, 0.5, 0.7, 0.8, 0.9]}))
                           0   1e-05  0.0001   0.001    0.01    mean  spread
        constant        10.0    50.0    70.0    80.0    90.0    60.0    80.0
    """
    header = [*(f"{rate:g}" for rate in INITIAL_LEARNING_RATES), "mean", "spread"]
    rows = [f"{'':12}" + "".join(f"{name:>8}" for name in header)]
    for method, values in accuracies.items():
        numbers = [*values, float(np.mean(values)), max(values) - min(values)]
        rows.append(f"{method:12}" + "".join(f"{100 * n:8.1f}" for n in numbers))
    return "\n".join(rows)


def save_picture(history: GannoHistory, path: Path) -> str:
    """Saves a plot of one training; returns where it is, or what is missing."""
    try:
        plot_history(history, path)
    except ImportError as error:
        return f"No picture of what GANNO did: {error}"
    return f"What GANNO did from a rate of 0 is drawn in {path}."


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> dict[str, list[float]]:
    """Reads the command line, trains, prints the table and saves the picture.

    Returns:
        The test accuracies by method, one for each of the initial learning rates.
    """
    parser = argparse.ArgumentParser(
        prog="python -m ganno_keras.demo", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of each training")
    parser.add_argument(
        "--picture", type=Path, default=PICTURE, help="where to save it"
    )
    options = parser.parse_args(arguments)
    data, start = load_data(), time.monotonic()
    _say(
        f"Two-layer network on Fashion-MNIST, {data.num_updates(options.epochs)} "
        f"updates with AdamW (weight decay {WEIGHT_DECAY}): {len(METHODS)} methods from"
        f" {len(INITIAL_LEARNING_RATES)} initial learning rates."
    )
    results = run(data, options.epochs)
    accuracies = {
        name: [results[name, rate].accuracy for rate in INITIAL_LEARNING_RATES]
        for name in METHODS
    }
    _say("\nTest accuracy in % by initial learning rate")
    _say(as_table(accuracies))
    history = results[GANNO_NAME, INITIAL_LEARNING_RATES[0]].history
    if history is not None:
        _say("\n" + save_picture(history, options.picture))
    _say(f"{time.monotonic() - start:.0f} s in all")
    return accuracies


if __name__ == "__main__":
    main()
