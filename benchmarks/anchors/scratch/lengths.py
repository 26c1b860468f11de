# SPDX-License-Identifier: Apache-2.0
"""Long trainings along the schedule of `GANNO()`, judged by their errors, too."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ganno_keras.control.anchor.anchors import RelativeUpdate
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.anchor.update_ratios import UpdateRatios
from ganno_keras.control.base_schedule import BaseSchedule

from ..cells import Cell, Network, network_of
from ..optima import LossCurve, by_cell, next_step
from ..trainings import CellTrainings, Outcome, trainings_of

Row = dict[str, Any]
Measure = Callable[[Row], float]

SHAPE: Final = BaseSchedule(1.0, 0.1, hold=0.3)
BEFORE: Final = RelativeRateFormula(
    constant=-1.34,
    updates=-0.39,
    epochs=-0.27,
    width=-0.28,
    batch_size=0.34,
    persistence=-0.65,
    depth=-0.5,
    targets=0.2,
    pretrained=-2.5,
    kinds={"recurrent": 1.3, "attention": -1.0},
    updates_by_kind={},
)
"""The formula that octaves are counted from, as it was before this experiment."""
CHANGED: Final = "updates-by-kind"
FORMULAS: Final = {
    "": BEFORE,
    CHANGED: replace(BEFORE, updates_by_kind={"recurrent": -0.44, "convolution": 0.3}),
}
"""By variant: what was found is tried as it is, which changes some layers only."""
FIRST_STEPS: Final = (0, 1, -1)
NUM_HELD_OUT: Final = 8000
"""More than in E1, as errors scatter more than losses."""
FASHION: Final = "fashion_mnist"


def _perceptron(name: str, dataset: str, num_samples: int, *hidden: int) -> Network:
    return network_of(
        name,
        "multilayer_perceptron",
        dataset,
        "dense",
        num_samples=num_samples,
        hidden=hidden,
    )


def _convolutional(model: str, name: str, dataset: str, **options: Any) -> Network:
    return network_of(name, model, dataset, "convolution", **options)


def _lstm(units: int) -> Network:
    return network_of(
        f"lstm-{units}",
        "lstm",
        FASHION,
        "recurrent",
        num_samples=50_000,
        units=units,
    )


def cells() -> list[Cell]:
    """Trainings of 1,200 to 3,000 updates, of each kind of network.

    Slopes and terms of the formula are refitted to these and to the cells of E1, if the
    log of the error (of the loss, where nothing is right or wrong) that its rates lose
    over these falls by at least 0.01 in the mean, while that of E1's log loss does not
    rise by more than 0.01.
    """
    cnn5 = _convolutional(
        "five_layer_cnn", "cnn5-8", "cifar10", num_samples=42_000, filters=8, shrink=2
    )
    bn_cnn = _convolutional(
        "normalised_cnn", "bn-cnn-8", "cifar10", num_samples=42_000, filters=8, shrink=2
    )
    transformer = network_of(
        "transformer-48",
        "transformer",
        FASHION,
        "attention",
        num_samples=50_000,
        width=48,
    )
    found = [
        Cell(cnn5, "adam", 2600, batch_size=128),
        Cell(_lstm(48), "adam", 1500),
        Cell(_perceptron("mlp-64x4", FASHION, 50_000, *(64,) * 4), "adam", 3000),
        Cell(bn_cnn, "adam", 2600, batch_size=128),
        Cell(transformer, "adam", 2000),
        Cell(
            _convolutional(
                "two_layer_cnn", "cnn2-32", FASHION, num_samples=50_000, filters=32
            ),
            "adam",
            3000,
        ),
        Cell(_lstm(96), "adam", 1200),
        Cell(_perceptron("mlp-256x3", "cifar10", 42_000, *(256,) * 3), "adam", 2600),
        Cell(_perceptron("mlp-64x4", FASHION, 500, *(64,) * 4), "adam", 2000),
        Cell(replace(cnn5, num_samples=5000), "adam", 2000),
        Cell(
            _convolutional(
                "separable_cnn", "separable-12", FASHION, num_samples=50_000, filters=12
            ),
            "adam",
            1800,
        ),
        Cell(_lstm(48), "rmsprop", 1200),
        Cell(cnn5, "sgd", 2600, batch_size=128),
        Cell(bn_cnn, "sgd", 2000),
        Cell(
            network_of("language-32", "language_model", FASHION, "attention", width=32),
            "adam",
            2000,
        ),
        Cell(_perceptron("mlp-512x2", FASHION, 7000, *(512,) * 2), "adam", 2000),
        Cell(
            _convolutional(
                "resnet9", "resnet9-4", FASHION, num_samples=50_000, width=4
            ),
            "adam",
            1200,
        ),
        Cell(_perceptron("mlp-256x3", "cifar10", 5000, *(256,) * 3), "sgd", 2000),
    ]
    changed = [it for it in found if it.network.family in ("convolution", "recurrent")]
    return [*found, *(replace(it, variant=CHANGED) for it in changed)]


def error(row: Row) -> float:
    """The error of a training, its loss where nothing is right or wrong."""
    value = 1.0 - row["accuracy"]
    return loss(row) if math.isnan(value) else value


def loss(row: Row) -> float:
    """The loss of a training."""
    return float(row["loss"])


def _missing(cell: Cell, rows: list[Row]) -> Iterator[float]:
    """Octaves, until neither the best error nor the best loss is at the edge."""
    if cell.variant:
        yield from [] if rows else [0]
        return
    for measure in (error, loss):
        while True:
            found = {row["octaves"]: measure(row) for row in rows}
            step = next_step(found, FIRST_STEPS)
            if step is None:
                break
            yield step


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    return next(_missing(cell, list(rows)), None) is None


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training."""
    found = list(rows)
    with trainings_of(cell, NUM_HELD_OUT) as trainings:
        for octaves in _missing(cell, found):
            outcome = _trained(trainings, FORMULAS[cell.variant], octaves)
            row = {
                "cell": cell.name,
                "variant": cell.variant,
                "family": cell.network.family,
                "optimizer": cell.optimizer,
                **vars(trainings.facts),
                "octaves": octaves,
                "loss": outcome.loss,
                "accuracy": outcome.accuracy,
                "seconds": round(outcome.seconds, 1),
            }
            found.append(row)
            yield row


def _trained(
    trainings: CellTrainings, formula: RelativeRateFormula, octaves: float
) -> Outcome:
    kinds = [group.kind for group in trainings.groups]
    peaks = formula.rates(trainings.facts, kinds, [False] * len(kinds))
    ratios = UpdateRatios(trainings.weight_groups)
    return trainings.along(
        RelativeUpdate(peaks * 2.0**octaves, SHAPE, ratios, highest=1.0)
    )


def lines_of_lengths(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text.

    Of each cell the best octaves by error and by loss; the log of the error and of the
    loss that is lost to them without any octave; and what the changed formula loses.
    """
    parts = by_cell(rows)
    before = {cell: part for (cell, variant), part in parts.items() if not variant}
    titles = " ".join(f"{it:>8}" for it in ("best", "lost", "now"))
    lines = [f"Lengths: {len(before)} cells, by error and by loss", ""]
    lines.append(f"{'cell':34} {titles} {titles}")
    found: dict[str, list[list[float]]] = {}
    for cell, part in before.items():
        known = [row for row in part if row["octaves"] == 0]
        (now,) = parts.get((cell, CHANGED), known)
        values = [*_lost(part, now, error), *_lost(part, now, loss)]
        lines.append(_line(cell, values))
        for group in (part[0]["family"], "all"):
            found.setdefault(group, []).append(values)
    for group, rows_of_group in sorted(found.items()):
        name = f"mean of {group}, {len(rows_of_group)} cells"
        lines.append(_line(name, np.mean(rows_of_group, axis=0)))
    return lines


def _lost(part: Sequence[Row], now: Row, measure: Measure) -> list[float]:
    curve = LossCurve.of({row["octaves"]: measure(row) for row in part})
    return [curve.best_step, curve.regret(0.0), math.log(measure(now)) - curve.least]


def _line(name: str, values: Iterable[float]) -> str:
    return f"{name:34} " + " ".join(f"{value:+8.3f}" for value in values)
