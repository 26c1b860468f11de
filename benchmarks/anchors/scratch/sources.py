# SPDX-License-Identifier: Apache-2.0
"""Networks of cells that are not built by name, with data of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

import keras

from agents.tasks.objectives import Objective
from agents.tasks.samples import Samples
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.anchor.update_ratios import RenewalRules

from ...field.training import Data as FieldData
from ..cells import Cell, network_of
from ..trainings import NUM_HELD_OUT, SEED, CellTrainings, Data, trainings_of
from . import shifts
from .shifts import Measure, Row, loss

Builder = Callable[[FieldData], keras.Model]

CLASSES: Final = keras.losses.SparseCategoricalCrossentropy


@dataclass(frozen=True)
class Source:
    """A network of a cell with its data, and what its outputs are compared by."""

    data: Callable[[], FieldData]
    build: Builder
    loss: type[keras.losses.Loss]
    family: str

    @contextmanager
    def trainings(
        self, cell: Cell, rules: RenewalRules | None = None
    ) -> Iterator[CellTrainings]:
        """Makes the model of a cell, and forgets it in the end.

        Of the test set nothing is used.
        """
        data = self.data()
        objective = Objective(lambda it: it, self.loss, self.loss is CLASSES)
        keras.utils.set_random_seed(SEED)
        parts = Data(Samples(*data.train), Samples(*data.validation), objective)
        try:
            yield CellTrainings(cell, self.build(data), parts, rules)
        finally:
            keras.utils.clear_session()


def cells_of(
    sources: Mapping[str, Source],
    num_samples: int | Callable[[str], int],
    optimizer: str,
    names: Iterable[str],
    length: int = 300,
    batch_size: int = 32,
) -> list[Cell]:
    """Makes a cell of each of some sources.

    Args:
        sources: By name.
        num_samples: To train on, of all sources or by the name of each.
        optimizer: By name; see trainings.py.
        names: Of the sources.
        length: Updates.
        batch_size: Samples in a minibatch.
    """
    found = []
    for name in names:
        count = num_samples if isinstance(num_samples, int) else num_samples(name)
        family = sources[name].family
        network = network_of(name, "", "drawn", family, num_samples=count)
        found.append(Cell(network, optimizer, length, batch_size))
    return found


def trainings_among(
    sources: Mapping[str, Source],
    cell: Cell,
    rules: RenewalRules | None = None,
    num_held_out: int = NUM_HELD_OUT,
) -> AbstractContextManager[CellTrainings]:
    """Makes the model of a cell from its source; a network without one by its name.

    Args:
        sources: By the network of a cell.
        cell: What is trained.
        rules: By which ratios are kept; None for those of the cell's variant.
        num_held_out: Samples to measure on, of networks without a source.
    """
    if source := sources.get(cell.network.name):
        return source.trainings(cell, rules)
    return trainings_of(cell, num_held_out, rules)


@dataclass(frozen=True)
class Comparison:
    """A change of the formula beside the formula before.

    Args:
        sources: By the network of a cell; others are built by name.
        formulas: By the variant of a cell.
        measures: What the changes are judged by.
        rules: By which ratios are kept; None for those of the cell's variant.
    """

    sources: Mapping[str, Source]
    formulas: Mapping[str, RelativeRateFormula]
    measures: Sequence[Measure] = (loss,)
    rules: RenewalRules | None = None

    def is_complete(self, cell: Cell, rows: Sequence[Row]) -> bool:
        """Whether nothing is missing of a cell."""
        return shifts.is_complete(cell, rows, self.measures)

    def carry_out(self, cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
        """Trains what is missing beside these rows, and gives one row a training."""
        with trainings_among(self.sources, cell, self.rules) as trainings:
            yield from shifts.carry_out(
                cell, trainings, self.formulas, rows, self.measures
            )
