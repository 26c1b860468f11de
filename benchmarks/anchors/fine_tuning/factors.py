# SPDX-License-Identifier: Apache-2.0
"""Low-rank factors beside all kernels (LoRA): do they follow the terms of the formula?

The cells of the second experiment have factors of one layer, and 300 updates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import keras

from agents.tasks.adapted_models import add_low_rank
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.anchor.update_ratios import RenewalRules

from ..cells import Cell, network_of
from ..scratch import shifts
from ..scratch.ordinary import MEASURES
from ..scratch.shifts import Row
from ..trainings import CellTrainings
from .cells import fine_tuning
from .data import CLOTHES, fine_tuning_data
from .experiment import LORA_RANK, fine_tuned_model
from .lengths import LANGUAGE, LONGER_ORIGIN, TOKENS_ORIGIN, TRANSFORMER

FORMULAS: Final = {"": RelativeRateFormula()}
PERCEPTRON: Final = network_of(
    "mlp-256x2", "multilayer_perceptron", "fashion_mnist", "dense", hidden=(256,) * 2
)
NEW_HEAD: Final = "factors-new-head"
SAME_HEAD: Final = "factors-same-head"
FACTORS: Final = (
    (TRANSFORMER, LONGER_ORIGIN, NEW_HEAD),
    (PERCEPTRON, f"{CLOTHES}6000", NEW_HEAD),
    (LANGUAGE, TOKENS_ORIGIN, SAME_HEAD),
)
"""Networks with their origins and targets."""
HIGHER_RANKS: Final = {f"rank-{it}-new-head": it for it in (16, 64)}
"""By target; others have `LORA_RANK`."""
SIZES: Final = ((2000, 300), (20_000, 300), (2000, 1500), (20_000, 3000))
"""Numbers of samples and of updates."""


def cells() -> list[Cell]:
    """Three networks on few samples and on many, in 300 updates and in thousands.

    Two of them have factors of higher ranks, too.

    A change of the rates of factors is taken over if what is lost to the best shift, of
    the log of the error (of the loss, where nothing is right or wrong), falls by 0.02
    in the mean, and nowhere rises by more than 0.05.
    """
    higher = [
        (network, origin, target)
        for network, origin, usual in FACTORS
        for target in HIGHER_RANKS
        if usual == NEW_HEAD
    ]
    sized = [*product(FACTORS, SIZES), *product(higher, SIZES[:2])]
    return [
        fine_tuning(network, "adam", origin, target, *size)
        for (network, origin, target), size in sized
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
    head = [] if cell.target == SAME_HEAD else model.layers[-1:]
    add_low_rank(model, HIGHER_RANKS.get(cell.target, LORA_RANK), head)
    return model
