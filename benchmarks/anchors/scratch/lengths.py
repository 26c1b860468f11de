# SPDX-License-Identifier: Apache-2.0
"""Long trainings along the schedule of `GANNO()`, judged by their errors, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from ganno_keras.control.anchor.relative_rate import RelativeRateFormula

from ..cells import Cell, Network, network_of
from ..trainings import trainings_of
from . import shifts
from .shifts import Row, error, loss

BEFORE: Final = RelativeRateFormula(
    constant=-1.34,
    updates=-0.39,
    epochs=-0.27,
    width=-0.28,
    batch_size=0.34,
    persistence=-0.65,
    depth=-0.5,
    targets=0.56,
    pretrained=-2.5,
    kinds={"recurrent": 1.3, "attention": -1.0},
    updates_by_kind={},
    width_by_kind={},
    inputs=0.0,
    channels=0.0,
)
"""The formula that octaves are counted from, as it was before this experiment."""
CHANGED: Final = "updates-by-kind"
FORMULAS: Final = {
    "": BEFORE,
    CHANGED: replace(BEFORE, updates_by_kind={"recurrent": -0.44, "convolution": 0.3}),
}
"""By variant: what was found is tried as it is, which changes some layers only."""
NUM_HELD_OUT: Final = 8000
"""More than in E1, as errors scatter more than losses."""
FASHION: Final = "fashion_mnist"


def _perceptron(dataset: str, num_samples: int, units: int, depth: int) -> Network:
    return network_of(
        f"mlp-{units}x{depth}",
        "multilayer_perceptron",
        dataset,
        "dense",
        num_samples=num_samples,
        hidden=(units,) * depth,
    )


def _of_cifar(name: str, model: str, num_samples: int = 42_000) -> Network:
    sizes = {"filters": 8, "shrink": 2}
    return network_of(
        name, model, "cifar10", "convolution", num_samples=num_samples, **sizes
    )


def _of_fashion(name: str, model: str, family: str, **options: int) -> Network:
    return network_of(name, model, FASHION, family, num_samples=50_000, **options)


MLP_64: Final = _perceptron(FASHION, 50_000, 64, 4)
MLP_256: Final = _perceptron("cifar10", 42_000, 256, 3)
CNN5: Final = _of_cifar("cnn5-8", "five_layer_cnn")
FEW_IMAGES: Final = _of_cifar("cnn5-8", "five_layer_cnn", num_samples=5000)
NORMALISED: Final = _of_cifar("bn-cnn-8", "normalised_cnn")
CNN2: Final = _of_fashion("cnn2-32", "two_layer_cnn", "convolution", filters=32)
SEPARABLE: Final = _of_fashion(
    "separable-12", "separable_cnn", "convolution", filters=12
)
RESNET: Final = _of_fashion("resnet9-4", "resnet9", "convolution", width=4)
TRANSFORMER: Final = _of_fashion("transformer-48", "transformer", "attention", width=48)
LSTM_48: Final = _of_fashion("lstm-48", "lstm", "recurrent", units=48)
LSTM_96: Final = _of_fashion("lstm-96", "lstm", "recurrent", units=96)
LANGUAGE: Final = network_of(
    "language-32", "language_model", FASHION, "attention", width=32
)


def cells() -> list[Cell]:
    """Trainings of 1,200 to 3,000 updates, of each kind of network.

    Slopes and terms of the formula are refitted to these and to the cells of E1, if the
    log of the error (of the loss, where nothing is right or wrong) that its rates lose
    over these falls by at least 0.01 in the mean, while that of E1's log loss does not
    rise by more than 0.01.
    """
    found = [
        Cell(CNN5, "adam", 2600, batch_size=128),
        Cell(LSTM_48, "adam", 1500),
        Cell(MLP_64, "adam", 3000),
        Cell(NORMALISED, "adam", 2600, batch_size=128),
        Cell(TRANSFORMER, "adam", 2000),
        Cell(CNN2, "adam", 3000),
        Cell(LSTM_96, "adam", 1200),
        Cell(MLP_256, "adam", 2600),
        Cell(_perceptron(FASHION, 500, 64, 4), "adam", 2000),
        Cell(FEW_IMAGES, "adam", 2000),
        Cell(SEPARABLE, "adam", 1800),
        Cell(LSTM_48, "rmsprop", 1200),
        Cell(CNN5, "sgd", 2600, batch_size=128),
        Cell(NORMALISED, "sgd", 2000),
        Cell(LANGUAGE, "adam", 2000),
        Cell(_perceptron(FASHION, 7000, 512, 2), "adam", 2000),
        Cell(RESNET, "adam", 1200),
        Cell(_perceptron("cifar10", 5000, 256, 3), "sgd", 2000),
    ]
    changed = [it for it in found if it.network.family in ("convolution", "recurrent")]
    return [*found, *(replace(it, variant=CHANGED) for it in changed)]


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    return shifts.is_complete(cell, rows, (error, loss))


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training."""
    with trainings_of(cell, NUM_HELD_OUT) as trainings:
        yield from shifts.carry_out(cell, trainings, FORMULAS, rows, (error, loss))


def lines_of_lengths(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text."""
    return shifts.lines(rows, "Lengths")
