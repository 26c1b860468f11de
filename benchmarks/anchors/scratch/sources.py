# SPDX-License-Identifier: Apache-2.0
"""Networks of cells that are not built by name, with data of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import keras

from agents.tasks.objectives import Objective
from agents.tasks.samples import Samples

from ...field.training import Data as FieldData
from ..cells import Cell
from ..trainings import SEED, CellTrainings, Data

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
    def trainings(self, cell: Cell) -> Iterator[CellTrainings]:
        """Makes the model of a cell, and forgets it in the end.

        Of the test set nothing is used.
        """
        data = self.data()
        objective = Objective(lambda it: it, self.loss, self.loss is CLASSES)
        keras.utils.set_random_seed(SEED)
        parts = Data(Samples(*data.train), Samples(*data.validation), objective)
        try:
            yield CellTrainings(cell, self.build(data), parts)
        finally:
            keras.utils.clear_session()
