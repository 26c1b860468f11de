# SPDX-License-Identifier: Apache-2.0
"""Low-rank factors beside all kernels (LoRA): do they follow the terms of the formula?

The cells of the second experiment have factors of one layer, and 300 updates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import keras

from agents.tasks.adapted_models import add_low_rank
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.anchor.update_ratios import RenewalRules

from ..cells import Cell, network_of
from ..scratch import shifts
from ..scratch.shifts import Row, error, loss
from ..trainings import CellTrainings
from .data import CLOTHES, fine_tuning_data
from .experiment import LORA_RANK, fine_tuned_model
from .lengths import LANGUAGE, LONGER_ORIGIN, TOKENS_ORIGIN, TRANSFORMER

MEASURES: Final = (error, loss)
FORMULAS: Final = {"": RelativeRateFormula()}
PERCEPTRON: Final = network_of(
    "mlp-256x2", "multilayer_perceptron", "fashion_mnist", "dense", hidden=(256,) * 2
)
FACTORS: Final = {
    "factors-new-head": (
        (TRANSFORMER, LONGER_ORIGIN),
        (PERCEPTRON, f"{CLOTHES}6000"),
    ),
    "factors-same-head": ((LANGUAGE, TOKENS_ORIGIN),),
}
"""Networks with their origins, by target."""
SIZES: Final = ((2000, 300), (20_000, 300), (2000, 1500), (20_000, 3000))
"""Numbers of samples and of updates."""


def cells() -> list[Cell]:
    """Three networks on few samples and on many, in 300 updates and in thousands.

    A change of the rates of factors is taken over if what is lost to the best shift, of
    the log of the error (of the loss, where nothing is right or wrong), falls by 0.02
    in the mean, and nowhere rises by more than 0.05.
    """
    return [
        Cell(
            replace(network, num_samples=count),
            "adam",
            length,
            origin=origin,
            target=target,
        )
        for target, networks in FACTORS.items()
        for network, origin in networks
        for count, length in SIZES
    ]


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    return shifts.is_complete(cell, rows, MEASURES)


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training."""
    data = fine_tuning_data(cell)
    try:
        model = _with_factors(cell, fine_tuned_model(cell, data))
        made = CellTrainings(cell, model, data, RenewalRules())
        yield from shifts.carry_out(cell, made, FORMULAS, rows, MEASURES)
    finally:
        keras.utils.clear_session()


def _with_factors(cell: Cell, model: keras.Model) -> keras.Model:
    head = [] if cell.target == "factors-same-head" else model.layers[-1:]
    add_low_rank(model, LORA_RANK, head)
    return model
