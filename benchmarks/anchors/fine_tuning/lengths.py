# SPDX-License-Identifier: Apache-2.0
"""Fine-tunings of 1,000 to 6,000 updates: do the rates hold for as long?

All cells of the second experiment have 300 updates, and the fine-tunings of the field
have no more. Beside the rates of the formula, shifted, each cell has what authors use.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Final

import keras
import numpy as np

from ganno_keras.control.anchor.anchors import AbsoluteSchedule
from ganno_keras.control.anchor.relative_rate import (
    LONGEST_FINE_TUNING,
    SHORT_LENGTH,
    RelativeRateFormula,
    fewness,
)
from ganno_keras.control.anchor.update_ratios import RenewalRules
from ganno_keras.control.layer_groups import layer_groups

from ..cells import Cell, network_of
from ..optima import LossCurve, by_cell
from ..scratch import shifts
from ..scratch.ordinary import MEASURES, SCHEDULES, gains_of, table_of
from ..scratch.shifts import Row
from ..trainings import CellTrainings
from .cells import CONVOLUTIONS, fine_tuning
from .data import TOKENS, fine_tuning_data
from .experiment import fine_tuned_model

RATES: Final = {"adam": (1e-3, 1e-4), "sgd": (1e-2, 1e-3)}
"""What authors fine-tune at, by optimizer."""
NEW_HEAD: Final = ((500, 3000), (5000, 6000), (20_000, 6000))
SAME_HEAD: Final = ((500, 3000), (5000, 6000))
"""Numbers of images and of updates."""
ORIGIN: Final = "cifar3000"
LONGER_ORIGIN: Final = "cifar12000"
"""Whose networks were pretrained for four times as long."""
FROM_LONGER: Final = {
    "new-head": ((5000, 1500), (5000, 6000), (20_000, 1000), (20_000, 3000)),
    "same-head": ((5000, 1500), (5000, 6000)),
}
OF_TRANSFORMERS: Final = ((2000, 1500), (20_000, 3000))
TOKENS_ORIGIN: Final = f"{TOKENS}6000"
ORIGINS: Final = {"chose": (ORIGIN,), "are asked": (LONGER_ORIGIN, TOKENS_ORIGIN)}
"""The cells that a refit chooses by, and those that are asked after it."""
TRANSFORMER: Final = network_of(
    "transformer-48-cifar", "transformer", "cifar10", "attention", 32, width=48
)
LANGUAGE: Final = network_of(
    "language-32", "language_model", "fashion_mnist", "attention", 48, width=32
)
FEW_EPOCHS: Final = "few-epochs"
SLOPES: Final = (0.3, 0.4, 0.5, 0.6)
"""Octaves for each doubling of the updates, of which one was chosen."""
RANGES: Final = ((5, 20), (5, 40), (10, 40), (10, 80))
"""Epochs up to which they are given in full, and from which on no more."""
FORMULAS: Final = {
    "": RelativeRateFormula(pretrained_updates=0.0),
    FEW_EPOCHS: RelativeRateFormula(),
}
"""As it was before, and with rates that fall less in long trainings of few epochs."""


def cells() -> list[Cell]:
    """Two CNNs with a new head and with the same one, on few images and on many.

    The formula holds if the log of the error that it loses to the best shift is at
    most 0.03 in the mean and 0.1 in any cell, and if it ends above the better of the
    two constant rates in the mean, and nowhere more than 0.05 below it. If not, the
    terms of pretrained layers are refitted.

    A refit chooses by these. Then networks that were pretrained for longer are asked, a
    Transformer and a language model among them. The log of their error (of the loss,
    where nothing is right or wrong) is not to rise in the mean, and nowhere by more
    than 0.05.
    """
    sized = [
        *(("adam", "new-head", it) for it in NEW_HEAD),
        *(("adam", "same-head", it) for it in SAME_HEAD),
        ("sgd", "new-head", NEW_HEAD[-1]),
        ("sgd", "same-head", SAME_HEAD[-1]),
    ]
    found = [
        fine_tuning(network, optimizer, ORIGIN, target, *size)
        for optimizer, target, size in sized
        for network in CONVOLUTIONS
    ]
    found += [
        fine_tuning(network, "adam", LONGER_ORIGIN, target, *size)
        for target, sizes in FROM_LONGER.items()
        for size in sizes
        for network in CONVOLUTIONS
    ]
    for size in OF_TRANSFORMERS:
        found.append(fine_tuning(TRANSFORMER, "adam", LONGER_ORIGIN, "new-head", *size))
        found.append(fine_tuning(LANGUAGE, "adam", TOKENS_ORIGIN, "same-head", *size))
    return [
        replace(cell, variant=variant)
        for cell in found
        for variant in (*FORMULAS, *_authors(cell.optimizer))
    ]


def _authors(optimizer: str) -> dict[str, tuple[str, float]]:
    """The schedules that authors use, with their rates, by the name of a variant."""
    return {
        f"{name} {rate:g}": (name, rate)
        for name in SCHEDULES
        for rate in RATES[optimizer]
    }


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    return shifts.is_complete(cell, rows, MEASURES)


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Fine-tunes what is missing beside these rows, and gives one row a training."""
    data = fine_tuning_data(cell)
    model = fine_tuned_model(cell, data)
    num_layers = len(layer_groups(model))
    is_pretrained = [True] * (num_layers - 1) + [cell.target == "same-head"]
    try:
        made = CellTrainings(cell, model, data, RenewalRules(), is_pretrained)
        if cell.variant not in FORMULAS:
            name, rate = _authors(cell.optimizer)[cell.variant]
            schedule = partial(SCHEDULES[name], rate)
            outcome = made.along(AbsoluteSchedule(schedule, num_layers))
            yield shifts.row_of(cell, made, outcome)
        else:
            yield from shifts.carry_out(cell, made, FORMULAS, rows, MEASURES)
    finally:
        keras.utils.clear_session()


def lines_of_fine_tuning_lengths(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text.

    Of each cell, by error and by loss: the best octaves, the logarithm that is lost to
    them, and what is gained beside the better constant rate and the better cosine, as
    it was before and now. Then, of the cells that chose, what other slopes would lose.
    """
    parts = by_cell(rows)
    lines = []
    for name, origins in ORIGINS.items():
        cells = [it for it, variant in parts if not variant and _is_of(it, origins)]
        for when, variant in {"before": "", "now": FEW_EPOCHS}.items():
            chosen = [it for it in cells if (it, variant) in parts]
            found = {it: gains_of(parts, it, asked=variant) for it in chosen}
            title = f"Long fine-tunings that {name}, {when}"
            lines += [*table_of(title, found), ""]
    chose = [
        part
        for (cell, variant), part in parts.items()
        if not variant and _is_of(cell, ORIGINS["chose"])
    ]
    return [*lines, *_lines_of_slopes(chose)]


def _is_of(cell: str, origins: Sequence[str]) -> bool:
    return any(it in cell for it in origins)


def _lines_of_slopes(cells: Sequence[Sequence[Row]]) -> list[str]:
    """What other slopes and ranges would lose, read off between the shifted rates."""
    lines = [
        "Logarithms lost to the best shift, by error and by loss: mean, worst",
        "",
        "octaves for each doubling, in full up to and none from so many epochs",
    ]
    for slope, (few, many) in product(SLOPES, RANGES):
        values: list[float] = []
        for measure in MEASURES:
            lost = [
                _lost(part, measure, _octaves(part[0], slope, few, many))
                for part in cells
            ]
            values += [float(np.mean(lost)), max(lost)]
        lines.append(shifts.line(f"{slope:g}, {few} to {many}", values))
    return lines


def _lost(part: Sequence[Row], measure: shifts.Measure, octaves: float) -> float:
    curve = LossCurve.of({row["octaves"]: measure(row) for row in part})
    return curve.regret(octaves)


def _octaves(row: Row, slope: float, few: int, many: int) -> float:
    """What a slope and a range of epochs add to the rates of a cell."""
    length = math.log2(min(row["num_updates"], LONGEST_FINE_TUNING) / SHORT_LENGTH)
    return slope * length * fewness(row["epochs"], few, many)
